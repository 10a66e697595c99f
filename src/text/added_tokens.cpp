#include "text/added_tokens.h"

#include <algorithm>

#include "text/unicode.h"

namespace jina {

namespace {

bool is_word_at(std::string_view text, size_t position) {
  return position < text.size() && (character_flags(next_code_point(text, position)) & kWord) != 0;
}

bool is_word_before(std::string_view text, size_t position) {
  return position > 0 && (character_flags(previous_code_point(text, position)) & kWord) != 0;
}

size_t skip_blanks_left(std::string_view text, size_t position) {
  for (size_t previous = position; position > 0; position = previous) {
    if (!is_whitespace(previous_code_point(text, previous))) break;
  }
  return position;
}

size_t skip_blanks_right(std::string_view text, size_t position) {
  for (size_t next = position; position < text.size(); position = next) {
    if (!is_whitespace(next_code_point(text, next))) break;
  }
  return position;
}

ByteSpan make_span(size_t begin, size_t end) { return {static_cast<uint32_t>(begin), static_cast<uint32_t>(end)}; }

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)), is_start_(256) {
  nodes_.push_back({'\0'});
  for (size_t i = 0; i < tokens_.size(); ++i) {
    add(static_cast<int32_t>(i));
    is_start_[static_cast<unsigned char>(tokens_[i].content[0])] = true;
  }
  if (std::count(is_start_.begin(), is_start_.end(), true) == 1) {
    only_start_ = static_cast<unsigned char>(tokens_[0].content[0]);
  }
}

int32_t AddedTokens::child(int32_t node, char byte) const {
  int32_t next = nodes_[static_cast<size_t>(node)].first_child;
  while (next >= 0 && nodes_[static_cast<size_t>(next)].byte != byte)
    next = nodes_[static_cast<size_t>(next)].next_sibling;
  return next;
}

void AddedTokens::add(int32_t token) {
  int32_t node = 0;
  for (const char byte : tokens_[static_cast<size_t>(token)].content) {
    int32_t next = child(node, byte);
    if (next < 0) {
      next = static_cast<int32_t>(nodes_.size());
      nodes_.push_back({byte, -1, -1, nodes_[static_cast<size_t>(node)].first_child});
      nodes_[static_cast<size_t>(node)].first_child = next;
    }
    node = next;
  }
  if (nodes_[static_cast<size_t>(node)].token < 0) nodes_[static_cast<size_t>(node)].token = token;
}

size_t AddedTokens::next_start(std::string_view text, size_t position) const {
  if (only_start_ >= 0) return std::min(text.find(static_cast<char>(only_start_), position), text.size());
  while (position < text.size() && !is_start_[static_cast<unsigned char>(text[position])]) ++position;
  return position;
}

const AddedToken* AddedTokens::match(std::string_view text, size_t position) const {
  const AddedToken* found = nullptr;
  int32_t node = 0;
  while (position < text.size() && (node = child(node, text[position])) >= 0) {
    const int32_t token = nodes_[static_cast<size_t>(node)].token;
    if (token >= 0) found = &tokens_[static_cast<size_t>(token)];
    ++position;
  }
  return found;
}

void AddedTokens::split(std::string_view text, std::vector<Part>& parts) const {
  size_t done = 0;  // up to here the text is in `parts`
  for (size_t at = tokens_.empty() ? text.size() : next_start(text, 0); at < text.size(); at = next_start(text, at)) {
    const AddedToken* token = match(text, at);
    if (token == nullptr) {
      ++at;
      continue;
    }
    size_t begin = at;
    size_t end = at += token->content.size();
    if (token->single_word && (is_word_before(text, begin) || is_word_at(text, end))) continue;
    if (token->lstrip) begin = std::max(skip_blanks_left(text, begin), done);
    if (token->rstrip) end = skip_blanks_right(text, end);
    if (done < begin) parts.push_back({make_span(done, begin), kText});
    parts.push_back({make_span(begin, end), token->id});
    done = end;
  }
  if (done < text.size()) parts.push_back({make_span(done, text.size()), kText});
}

}  // namespace jina
