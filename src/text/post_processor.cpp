#include "text/post_processor.h"

#include <algorithm>

#include "text/unicode.h"

namespace jina {

namespace {

using Piece = PostProcessor::Piece;

int32_t read_id(const Json& json) {
  const int64_t id = json.as_int();
  if (id < 0 || id > INT32_MAX) json.reject("a token id");
  return static_cast<int32_t>(id);
}

/// The id of a ["[SEP]", 102] pair.
int32_t read_named_id(const Json& json) {
  const std::vector<Json> pair = json.as_array();
  if (pair.size() != 2) json.reject("a token and its id");
  return read_id(pair[1]);
}

std::vector<Piece> read_pieces(const Json& json, const Json& special_tokens) {
  std::vector<Piece> pieces;
  for (const Json& item : json.as_array()) {
    const auto sequence = item.find("Sequence");
    const Json body = sequence ? *sequence : item.at("SpecialToken");
    Piece piece;
    piece.type_id = read_id(body.at("type_id"));
    const Json name = body.at("id");
    if (!sequence) {
      for (const Json& id : special_tokens.at(name.as_string()).at("ids").as_array()) piece.ids.push_back(read_id(id));
    } else if (name.as_string() == "A" || name.as_string() == "B") {
      piece.sequence = name.as_string() == "A" ? 0 : 1;
    } else {
      name.reject("\"A\" or \"B\"");
    }
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

Piece text_piece(int sequence, int32_t type_id) { return {sequence, type_id, {}}; }
Piece special_piece(int32_t id, int32_t type_id) { return {PostProcessor::kSpecial, type_id, {id}}; }

}  // namespace

PostProcessor::PostProcessor() : single_({text_piece(0, 0)}), pair_({text_piece(0, 0), text_piece(1, 1)}) {}

PostProcessor::PostProcessor(const Json& json) : PostProcessor() { read(json); }

void PostProcessor::read(const Json& json) {
  const std::string_view type = json.at("type").as_string();
  if (type == "Sequence") {
    for (const Json& step : json.at("processors").as_array()) read(step);
  } else if (type == "TemplateProcessing") {
    read_template(json);
  } else if (type == "BertProcessing") {
    read_bert(json);
  } else if (type == "RobertaProcessing") {
    read_roberta(json);
  } else if (type == "ByteLevel") {
    read_trim(json);
  } else {
    fail(json.document().kind(), json.document().where(), "unknown post-processor '{}'", type);
  }
}

void PostProcessor::read_template(const Json& json) {
  const Json special_tokens = json.at("special_tokens");
  std::vector<Piece> single = read_pieces(json.at("single"), special_tokens);
  if (std::any_of(single.begin(), single.end(), [](const Piece& piece) { return piece.sequence == 1; })) {
    json.at("single").reject("a template without the second text");
  }
  set_template(json, std::move(single), read_pieces(json.at("pair"), special_tokens));
}

void PostProcessor::read_bert(const Json& json) {
  const int32_t begin = read_named_id(json.at("cls"));
  const int32_t end = read_named_id(json.at("sep"));
  const std::vector<Piece> single = {special_piece(begin, 0), text_piece(0, 0), special_piece(end, 0)};
  std::vector<Piece> pair = single;
  pair.insert(pair.end(), {text_piece(1, 1), special_piece(end, 1)});
  set_template(json, single, pair);
}

void PostProcessor::read_roberta(const Json& json) {
  const int32_t begin = read_named_id(json.at("cls"));
  const int32_t end = read_named_id(json.at("sep"));
  const std::vector<Piece> single = {special_piece(begin, 0), text_piece(0, 0), special_piece(end, 0)};
  std::vector<Piece> pair = single;
  pair.insert(pair.end(), {special_piece(end, 0), text_piece(1, 0), special_piece(end, 0)});
  set_template(json, single, pair);
  read_trim(json);
}

void PostProcessor::read_trim(const Json& json) {
  if (json.at("trim_offsets").as_bool()) trims_.push_back(json.at("add_prefix_space").as_bool());
}

void PostProcessor::set_template(const Json& json, std::vector<Piece> single, std::vector<Piece> pair) {
  if (has_template_) {
    fail(json.document().kind(), json.document().where(), "post-processor Sequence: more than one template");
  }
  has_template_ = true;
  single_ = std::move(single);
  pair_ = std::move(pair);
}

int64_t PostProcessor::added_tokens(bool is_pair) const {
  int64_t count = 0;
  for (const Piece& piece : pieces(is_pair)) count += static_cast<int64_t>(piece.ids.size());
  return count;
}

void PostProcessor::trim(std::string_view text, size_t index, size_t leading, size_t trailing, ByteSpan& span) const {
  for (const bool has_prefix : trims_) {
    const bool is_first = index == 0 || span.begin == 0;
    const size_t skipped = is_first && has_prefix && leading == 1 ? 0 : leading;
    for (size_t i = 0; i < skipped && span.begin < span.end; ++i) {
      span.begin += static_cast<uint32_t>(utf8_length(text[span.begin]));
    }
    size_t end = span.end;
    size_t left = trailing;
    for (; left > 0 && end > 0; --left) previous_code_point(text, end);
    if (left == 0) span.end = std::max(static_cast<uint32_t>(end), span.begin);
  }
}

}  // namespace jina
