#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "support/child_process.h"
#include "support/shared_files.h"
#include "support/temporary_directory.h"

namespace jina::test {

/// Runs the program as a user would, in a scratch directory; for tests of the room cli, which define JINA_BINARY.
class JinaCommand : public testing::Test {
 protected:
  static std::string model(const std::string& name) {
    return std::string(JINA_SOURCE_DIR) + "/tests/golden/models/" + name + "/model";
  }

  ChildOptions command(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), JINA_BINARY);
    ChildOptions options{.arguments = std::move(arguments)};
    options.environment = {{"JINA_CACHE", files_.path("cache")}, {"HOME", files_.path()}, {"PATH", "/usr/bin:/bin"}};
    return options;
  }
  ChildResult run(const std::vector<std::string>& arguments) const { return run_child(command(arguments)); }
  /// A line for the shell in which `jina` is the program.
  ChildResult shell(const std::string& line) const {
    ChildOptions options = command({});
    options.arguments = {"/bin/bash", "-o", "pipefail", "-c", "jina() { " JINA_BINARY " \"$@\"; }\n" + line};
    return run_child(options);
  }

  TemporaryDirectory files_;
};

/// One parsed line of JSON each; fails the test on a line that is not.
inline std::vector<std::shared_ptr<JsonDocument>> parse_lines(const std::string& text) {
  std::vector<std::shared_ptr<JsonDocument>> documents;
  for_each_line(text, [&](size_t number, const std::string& line) {
    try {
      const auto where = "output:" + std::to_string(number);
      documents.push_back(std::make_shared<JsonDocument>(JsonDocument::parse(line, where, ErrorKind::kInvalidInput)));
    } catch (const Error& error) {
      ADD_FAILURE() << error.what() << "\n" << line;
    }
  });
  return documents;
}

inline std::vector<float> floats(const Json& list) {
  std::vector<float> values;
  for (const Json& value : list.as_array()) values.push_back(static_cast<float>(value.as_double()));
  return values;
}

inline std::string json_string(const std::string& text) {
  std::string json;
  append_json_string(json, text);
  return json;
}

}  // namespace jina::test
