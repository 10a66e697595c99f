#include "text/tokenizer.h"

#include <algorithm>
#include <span>
#include <unordered_map>

#include "base/file.h"
#include "base/json.h"
#include "text/added_tokens.h"
#include "text/bpe.h"
#include "text/normalizer.h"
#include "text/post_processor.h"
#include "text/pre_tokenizer.h"
#include "text/token_model.h"
#include "text/unicode.h"
#include "text/unigram.h"
#include "text/wordpiece.h"

namespace jina {

namespace {

struct ModelEntry {
  std::string_view type;
  std::unique_ptr<TokenModel> (*make)(const Json& model, bool is_byte_level);
};

const ModelEntry kModels[] = {
    {"BPE", [](const Json& model, bool is_byte_level) { return make_bpe(model, is_byte_level); }},
    {"Unigram", [](const Json& model, bool) { return make_unigram(model); }},
    {"WordPiece", [](const Json& model, bool) { return make_wordpiece(model); }},
};

/// The type of a model; files written before there was a "type" are told apart by what only one kind has.
std::string_view model_type(const Json& model) {
  if (const auto type = model.find("type")) return type->as_string();
  if (model.find("merges")) return "BPE";
  if (model.find("unk_id")) return "Unigram";
  return model.find("max_input_chars_per_word") ? "WordPiece" : "WordLevel";
}

std::unique_ptr<TokenModel> make_model(const Json& model, bool is_byte_level) {
  const std::string_view type = model_type(model);
  for (const ModelEntry& row : kModels) {
    if (row.type == type) return row.make(model, is_byte_level);
  }
  fail(model.document().kind(), model.document().where(), "unknown model type '{}'", type);
}

/// What one call of encode works with, so that its parts share buffers.
struct Workspace {
  PreTokenizedText text;
  std::vector<ModelToken> tokens;
  std::vector<AddedTokens::Part> normalized_parts;
};

/// White space that a token's own text begins and ends with, in characters.
struct Blanks {
  size_t leading = 0;
  size_t trailing = 0;
};

Blanks count_blanks(std::string_view token) {
  Blanks blanks;
  for (size_t position = 0; position < token.size() && is_whitespace(next_code_point(token, position));) {
    ++blanks.leading;
  }
  for (size_t position = token.size(); position > 0 && is_whitespace(previous_code_point(token, position));) {
    ++blanks.trailing;
  }
  return blanks;
}

Blanks count_space_bytes(std::string_view token) {
  const size_t first = token.find_first_not_of(' ');
  if (first == std::string_view::npos) return {token.size(), token.size()};
  return {first, token.size() - 1 - token.find_last_not_of(' ')};
}

}  // namespace

struct Tokenizer::Impl {
  explicit Impl(const Json& root);

  Encoding encode(std::span<const std::string_view> texts, const EncodeOptions& options) const;
  void encode_text(std::string_view text, size_t limit, Encoding& out) const;
  void encode_segment(std::string_view text, ByteSpan segment, size_t limit, Workspace& work, Encoding& out) const;
  void encode_pieces(std::string_view text, ByteSpan segment, size_t limit, Workspace& work, Encoding& out) const;
  void append(std::string_view text, int32_t token, ByteSpan span, Blanks blanks, Encoding& out) const;
  /// The same for the first token of a word.
  void append_start(std::string_view text, int32_t token, ByteSpan span, Blanks blanks, Encoding& out) const;
  Encoding assemble(const std::vector<Encoding>& texts, bool has_special_tokens) const;
  void read_added_tokens(const Json& json);

  std::unique_ptr<Normalizer> normalizer;       // null: the text as it is
  std::unique_ptr<PreTokenizer> pre_tokenizer;  // null: all in one piece
  std::unique_ptr<TokenModel> model;
  PostProcessor post_processor;
  AddedTokens raw_tokens;         // found in the text as given
  AddedTokens normalized_tokens;  // found after normalisation
  std::unordered_map<std::string, int32_t> added_ids;
  std::unordered_map<int32_t, std::string> added_strings;
  bool is_byte_level = false;
  int64_t vocab_size = 0;
};

Tokenizer::Impl::Impl(const Json& root) {
  if (const auto json = root.find("normalizer")) normalizer = make_normalizer(*json);
  if (const auto json = root.find("pre_tokenizer")) pre_tokenizer = make_pre_tokenizer(*json);
  is_byte_level = pre_tokenizer && pre_tokenizer->is_byte_level();
  model = make_model(root.at("model"), is_byte_level);
  if (const auto json = root.find("post_processor")) post_processor = PostProcessor(*json);
  vocab_size = model->vocab_size();
  if (const auto json = root.find("added_tokens")) read_added_tokens(*json);
}

/// As the reference: a token takes the id of its string in the model's vocabulary, else the next free one.
void Tokenizer::Impl::read_added_tokens(const Json& json) {
  std::vector<AddedToken> raw;
  std::vector<AddedToken> normalized;
  for (const Json& item : json.as_array()) {
    AddedToken token;
    token.content = item.at("content").as_string();
    if (token.content.empty() || added_ids.contains(token.content)) continue;
    const auto known = model->id(token.content);
    token.id = known ? *known : static_cast<int32_t>(vocab_size);
    vocab_size = std::max<int64_t>(vocab_size, token.id + 1);
    token.single_word = item.at("single_word").as_bool();
    token.lstrip = item.at("lstrip").as_bool();
    token.rstrip = item.at("rstrip").as_bool();
    added_ids.emplace(token.content, token.id);
    added_strings.emplace(token.id, token.content);
    if (!item.at("normalized").as_bool()) {
      raw.push_back(std::move(token));
      continue;
    }
    NormalizedText content{token.content, {}};
    if (normalizer) normalizer->apply(content);
    if (content.text.empty()) continue;
    token.content = std::move(content.text);
    normalized.push_back(std::move(token));
  }
  raw_tokens = AddedTokens(std::move(raw));
  normalized_tokens = AddedTokens(std::move(normalized));
}

void Tokenizer::Impl::append(std::string_view text, int32_t token, ByteSpan span, Blanks blanks, Encoding& out) const {
  if (blanks.leading + blanks.trailing > 0) {
    post_processor.trim(text, out.ids.size(), blanks.leading, blanks.trailing, span);
  }
  out.ids.push_back(token);
  out.offsets.push_back(span);
  out.word_starts.push_back(0);
}

void Tokenizer::Impl::append_start(std::string_view text, int32_t token, ByteSpan span, Blanks blanks,
                                   Encoding& out) const {
  append(text, token, span, blanks, out);
  out.word_starts.back() = 1;
}

/// Runs the model over the pieces; `segment` is the part of `text` that work.text was made from.
void Tokenizer::Impl::encode_pieces(std::string_view text, ByteSpan segment, size_t limit, Workspace& work,
                                    Encoding& out) const {
  const std::string_view normalized = work.text.normalized.text;
  const std::vector<ByteSpan>& origin = work.text.normalized.origin;
  const bool is_trimming = post_processor.is_trimming();
  for (const ByteSpan& piece : work.text.pieces) {
    if (out.ids.size() >= limit) return;
    const size_t first = out.ids.size();
    work.tokens.clear();
    model->tokenize(normalized.substr(piece.begin, piece.end - piece.begin), work.tokens);
    for (const ModelToken& token : work.tokens) {
      size_t begin = piece.begin + token.begin;
      size_t end = piece.begin + token.end;
      Blanks blanks;
      if (is_trimming) {
        const std::string_view part = normalized.substr(begin, end - begin);
        blanks = is_byte_level ? count_space_bytes(part) : count_blanks(part);
      }
      if (!origin.empty() && begin < end) {
        begin = origin[begin].begin;
        end = origin[end - 1].end;
      } else {  // bytes of one character all have the range of the character
        while (begin > 0 && is_utf8_continuation(normalized[begin])) --begin;
        while (end < normalized.size() && is_utf8_continuation(normalized[end])) ++end;
      }
      const ByteSpan span{static_cast<uint32_t>(segment.begin + begin), static_cast<uint32_t>(segment.begin + end)};
      append(text, token.id, span, blanks, out);
    }
    if (out.ids.size() > first) out.word_starts[first] = 1;
  }
}

/// Normalises a part of `text` without raw added tokens, and encodes it.
void Tokenizer::Impl::encode_segment(std::string_view text, ByteSpan segment, size_t limit, Workspace& work,
                                     Encoding& out) const {
  NormalizedText whole;
  whole.text = text.substr(segment.begin, segment.end - segment.begin);
  if (normalizer) normalizer->apply(whole);
  work.normalized_parts.clear();
  normalized_tokens.split(whole.text, work.normalized_parts);
  const bool is_alone = work.normalized_parts.size() == 1;
  for (const AddedTokens::Part& part : work.normalized_parts) {
    const auto [begin, end] = part.span;
    ByteSpan from = segment;
    if (is_alone && part.id == AddedTokens::kText) {
      std::swap(work.text.normalized, whole);  // the only part: no copy
    } else {
      const auto origin = whole.origin.begin();
      work.text.normalized.text.assign(whole.text, begin, end - begin);
      work.text.normalized.origin.clear();
      if (whole.origin.empty()) {
        from = {segment.begin + begin, segment.begin + end};
      } else {
        work.text.normalized.origin.assign(origin + begin, origin + end);
      }
    }
    if (part.id != AddedTokens::kText) {
      const ByteSpan span = whole.origin.empty() ? from
                                                 : ByteSpan{segment.begin + whole.origin[begin].begin,
                                                            segment.begin + whole.origin[end - 1].end};
      const Blanks blanks = post_processor.is_trimming() ? count_blanks(work.text.normalized.text) : Blanks{};
      append_start(text, part.id, span, blanks, out);
      continue;
    }
    work.text.is_start = from.begin == 0;
    work.text.pieces.assign(1, {0, static_cast<uint32_t>(work.text.normalized.text.size())});
    if (pre_tokenizer) pre_tokenizer->apply(work.text);
    encode_pieces(text, from, limit, work, out);
  }
}

/// The tokens of one text without template; may stop once there are `limit` of them.
void Tokenizer::Impl::encode_text(std::string_view text, size_t limit, Encoding& out) const {
  if (text.size() > UINT32_MAX / 4) {
    fail(ErrorKind::kInvalidInput, {}, "text of {} bytes: at most {} bytes can be tokenized", text.size(),
         UINT32_MAX / 4);
  }
  Workspace work;
  std::vector<AddedTokens::Part> parts;
  raw_tokens.split(text, parts);
  for (const AddedTokens::Part& part : parts) {
    if (out.ids.size() >= limit) break;
    if (part.id == AddedTokens::kText) {
      encode_segment(text, part.span, limit, work, out);
    } else {
      const std::string_view token = text.substr(part.span.begin, part.span.end - part.span.begin);
      append_start(text, part.id, part.span, post_processor.is_trimming() ? count_blanks(token) : Blanks{}, out);
    }
  }
}

/// Puts the tokens of one or two texts into the template.
Encoding Tokenizer::Impl::assemble(const std::vector<Encoding>& texts, bool has_special_tokens) const {
  size_t size = static_cast<size_t>(post_processor.added_tokens(texts.size() > 1));
  for (const Encoding& text : texts) size += text.ids.size();
  Encoding encoding;
  encoding.ids.reserve(size);
  encoding.offsets.reserve(size);
  encoding.special.reserve(size);
  encoding.type_ids.reserve(size);
  encoding.word_starts.reserve(size);
  for (const PostProcessor::Piece& piece : post_processor.pieces(texts.size() > 1)) {
    const bool is_special = piece.sequence == PostProcessor::kSpecial;
    if (is_special && !has_special_tokens) continue;
    const std::vector<int32_t>& ids = is_special ? piece.ids : texts[static_cast<size_t>(piece.sequence)].ids;
    encoding.ids.insert(encoding.ids.end(), ids.begin(), ids.end());
    if (is_special) {
      encoding.offsets.resize(encoding.ids.size());
      encoding.word_starts.resize(encoding.ids.size(), 1);
    } else {
      const std::vector<uint8_t>& starts = texts[static_cast<size_t>(piece.sequence)].word_starts;
      encoding.word_starts.insert(encoding.word_starts.end(), starts.begin(), starts.end());
      const std::vector<ByteSpan>& offsets = texts[static_cast<size_t>(piece.sequence)].offsets;
      encoding.offsets.insert(encoding.offsets.end(), offsets.begin(), offsets.end());
    }
    encoding.special.resize(encoding.ids.size(), is_special ? 1 : 0);
    encoding.type_ids.resize(encoding.ids.size(), piece.type_id);
  }
  return encoding;
}

namespace {

/// How many tokens of the texts themselves fit beside the template; "longest first" of the reference for a pair.
std::vector<size_t> fitting_sizes(std::vector<size_t> sizes, size_t room) {
  if (sizes.size() == 1) return {std::min(sizes[0], room)};
  if (sizes[0] + sizes[1] <= room) return sizes;
  const bool is_first_shorter = sizes[0] <= sizes[1];
  size_t shorter = std::min(sizes[0], sizes[1]);
  size_t longer = shorter > room ? shorter : std::max(shorter, room - shorter);
  if (shorter + longer > room) {
    shorter = room / 2;
    longer = shorter + room % 2;
  }
  return is_first_shorter ? std::vector{shorter, longer} : std::vector{longer, shorter};
}

}  // namespace

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Tokenizer Tokenizer::load(const std::string& path) { return parse(read_file(path), path); }

Tokenizer Tokenizer::parse(std::string_view json, std::string where) {
  const JsonDocument document = JsonDocument::parse(json, std::move(where), ErrorKind::kModelFile);
  return Tokenizer(std::make_unique<Impl>(document.root()));
}

Encoding Tokenizer::Impl::encode(std::span<const std::string_view> texts, const EncodeOptions& options) const {
  const int64_t template_size = options.add_special_tokens ? post_processor.added_tokens(texts.size() > 1) : 0;
  if (options.max_length != 0 && options.max_length < template_size) {
    fail(ErrorKind::kInvalidArgument, "max_length", "{} is too short: the template alone takes {} tokens",
         options.max_length, template_size);
  }
  const size_t room = options.max_length == 0 ? SIZE_MAX : static_cast<size_t>(options.max_length - template_size);
  std::vector<Encoding> encodings(texts.size());
  std::vector<size_t> sizes;
  for (size_t i = 0; i < texts.size(); ++i) {
    encode_text(texts[i], texts.size() > 1 ? SIZE_MAX : room, encodings[i]);
    sizes.push_back(encodings[i].ids.size());
  }
  sizes = fitting_sizes(sizes, room);
  for (size_t i = 0; i < texts.size(); ++i) {
    encodings[i].ids.resize(sizes[i]);
    encodings[i].offsets.resize(sizes[i]);
    encodings[i].word_starts.resize(sizes[i]);
  }
  return assemble(encodings, options.add_special_tokens);
}

Encoding Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  return impl_->encode(std::span(&text, 1), options);
}

Encoding Tokenizer::encode_pair(std::string_view first, std::string_view second, const EncodeOptions& options) const {
  const std::string_view texts[] = {first, second};
  return impl_->encode(texts, options);
}

int64_t Tokenizer::vocab_size() const { return impl_->vocab_size; }

std::string_view Tokenizer::token(int32_t id) const {
  const auto added = impl_->added_strings.find(id);
  return added == impl_->added_strings.end() ? impl_->model->token(id) : std::string_view(added->second);
}

std::optional<int32_t> Tokenizer::id(std::string_view token) const {
  const auto added = impl_->added_ids.find(std::string(token));
  return added == impl_->added_ids.end() ? impl_->model->id(token) : std::optional(added->second);
}

bool Tokenizer::is_added(int32_t id) const { return impl_->added_strings.contains(id); }

int64_t Tokenizer::special_tokens() const { return impl_->post_processor.added_tokens(false); }

}  // namespace jina
