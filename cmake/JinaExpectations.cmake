# Puts the published vectors of data/expectations/*.json, which `jina verify` compares with, into the program: writes a
# source with one raw string a file and names it in JINA_EXPECTATIONS_SOURCE.

set(JINA_EXPECTATIONS_SOURCE ${CMAKE_BINARY_DIR}/generated/known_expectations.cpp)
file(GLOB expectation_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/data/expectations/*.json)
set(expectation_strings "")
foreach(file IN LISTS expectation_files)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} text)
  string(APPEND expectation_strings "    R\"jina_data(${text})jina_data\",\n")
endforeach()
file(CONFIGURE OUTPUT ${JINA_EXPECTATIONS_SOURCE} @ONLY CONTENT [[
#include "cli/expectation.h"

namespace jina::cli {

namespace {

constexpr std::string_view kKnown[] = {
@expectation_strings@};

}  // namespace

std::span<const std::string_view> known_expectations() { return kKnown; }

}  // namespace jina::cli
]])
