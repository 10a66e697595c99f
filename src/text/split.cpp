#include "text/split.h"

#include <algorithm>

namespace jina {

namespace {

struct BehaviorName {
  std::string_view name;
  SplitBehavior behavior;
};

constexpr BehaviorName kBehaviors[] = {
    {"Removed", SplitBehavior::kRemoved},
    {"Isolated", SplitBehavior::kIsolated},
    {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
    {"MergedWithNext", SplitBehavior::kMergedWithNext},
    {"Contiguous", SplitBehavior::kContiguous},
};

}  // namespace

SplitBehavior parse_split_behavior(const Json& json) {
  const std::string_view name = json.as_string();
  for (const BehaviorName& row : kBehaviors) {
    if (row.name == name) return row.behavior;
  }
  fail(json.document().kind(), json.document().where(), "unknown split behavior '{}'", name);
}

void append_split(const std::vector<SplitMatch>& matches, SplitBehavior behavior, std::vector<ByteSpan>& pieces) {
  const size_t first = pieces.size();
  bool was_match = false;
  if (behavior == SplitBehavior::kMergedWithNext) {
    for (auto match = matches.rbegin(); match != matches.rend(); ++match) {
      if (match->is_match && !was_match && pieces.size() > first) {
        pieces.back().begin = match->span.begin;
      } else {
        pieces.push_back(match->span);
      }
      was_match = match->is_match;
    }
    std::reverse(pieces.begin() + static_cast<ptrdiff_t>(first), pieces.end());
    return;
  }
  for (const SplitMatch& match : matches) {
    const bool is_joined = (behavior == SplitBehavior::kContiguous && match.is_match == was_match) ||
                           (behavior == SplitBehavior::kMergedWithPrevious && match.is_match && !was_match);
    if (is_joined && pieces.size() > first) {
      pieces.back().end = match.span.end;
    } else if (behavior != SplitBehavior::kRemoved || !match.is_match) {
      pieces.push_back(match.span);
    }
    was_match = match.is_match;
  }
}

}  // namespace jina
