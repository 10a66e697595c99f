#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "jina/error.h"

namespace jina::test {

/// Fails the test unless `action` throws an Error of this kind whose text (place included) has `part` in it.
template <typename Action>  // any callable
void expect_error(ErrorKind kind, std::string_view part, Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(to_string(error.kind()), to_string(kind)) << error.what();
    EXPECT_THAT(error.what(), testing::HasSubstr(std::string(part)));
    return;
  }
  ADD_FAILURE() << "no error, expected one with: " << part;
}

}  // namespace jina::test
