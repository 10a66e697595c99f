#include "base/error.h"

#include <gtest/gtest.h>

#include <set>

namespace jina {
namespace {

TEST(Error, WhatIsPlaceThenMessage) {
  const Error error(ErrorKind::kIo, "disk full", "out.jsonl");
  EXPECT_STREQ(error.what(), "out.jsonl: disk full");
  EXPECT_EQ(error.kind(), ErrorKind::kIo);
  EXPECT_STREQ(Error(ErrorKind::kIo, "disk full").what(), "disk full");
}

TEST(Error, FailFormatsItsMessage) {
  try {
    fail(ErrorKind::kModelFile, "config.json", "expected {}, found {}", 12, "none");
    FAIL() << "fail returned";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "config.json: expected 12, found none");
    EXPECT_EQ(error.kind(), ErrorKind::kModelFile);
  }
}

TEST(Error, KindsHaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (auto kind = static_cast<int>(ErrorKind::kInvalidArgument); kind <= static_cast<int>(ErrorKind::kInternal);
       ++kind) {
    names.insert(to_string(static_cast<ErrorKind>(kind)));
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(ErrorKind::kInternal) + 1);
  EXPECT_EQ(names.count("unknown"), 0u);
}

TEST(Error, BrokenPromiseNamesItsConditionAndLine) {
  EXPECT_NO_THROW(JINA_CHECK(1 + 1 == 2));
  try {
    JINA_CHECK(1 + 1 == 3);
    FAIL() << "the check passed";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInternal);
    EXPECT_NE(error.message().find("1 + 1 == 3"), std::string::npos);
    EXPECT_NE(error.where().find("error_test.cpp:"), std::string::npos);
  }
}

}  // namespace
}  // namespace jina
