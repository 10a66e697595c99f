# What `cmake --install` puts down: the program with its manual page and completions, libjina.so with the public headers,
# and the files by which CMake (find_package(jina CONFIG), target jina::jina) and pkg-config find it.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# The library is every room below cli that turns text into vectors: fetching models is the program's business, so the
# library needs no libcurl.
add_library(jina_library SHARED)
foreach(line IN LISTS JINA_LAYER_LINES)
  string(REGEX REPLACE ":.*" "" room "${line}")
  if(TARGET jina_${room} AND NOT room MATCHES "^(cli|net|evaluation|training)$")
    target_sources(jina_library PRIVATE $<TARGET_OBJECTS:jina_${room}>)
    target_link_libraries(jina_library PRIVATE ${JINA_LINK_${room}})
  endif()
endforeach()
set_target_properties(jina_library PROPERTIES
  OUTPUT_NAME jina
  EXPORT_NAME jina
  LINKER_LANGUAGE CXX
  LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib
  VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
  LINK_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/libjina.map)
target_link_options(jina_library PRIVATE
  -Wl,--version-script=${CMAKE_CURRENT_LIST_DIR}/libjina.map -Wl,--no-undefined -Wl,--as-needed)
target_include_directories(jina_library INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

install(TARGETS jina_library EXPORT jina LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/jina DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE ${CMAKE_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/jina)
install(EXPORT jina NAMESPACE jina:: FILE jinaTargets.cmake DESTINATION ${package})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/package/jinaConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/jinaConfig.cmake ${CMAKE_BINARY_DIR}/package/jinaConfigVersion.cmake DESTINATION ${package})
configure_file(${CMAKE_CURRENT_LIST_DIR}/jina.pc.in ${CMAKE_BINARY_DIR}/package/jina.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/package/jina.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# The program writes its own manual page and completions.
if(TARGET jina AND NOT CMAKE_CROSSCOMPILING)
  set(written ${CMAKE_BINARY_DIR}/package/jina.1 ${CMAKE_BINARY_DIR}/package/jina.bash ${CMAKE_BINARY_DIR}/package/_jina
              ${CMAKE_BINARY_DIR}/package/jina.fish)
  add_custom_command(OUTPUT ${written}
    COMMAND jina man > jina.1
    COMMAND jina completion bash > jina.bash
    COMMAND jina completion zsh > _jina
    COMMAND jina completion fish > jina.fish
    DEPENDS jina WORKING_DIRECTORY ${CMAKE_BINARY_DIR}/package VERBATIM)
  add_custom_target(jina_pages ALL DEPENDS ${written})
  install(TARGETS jina RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(FILES ${CMAKE_BINARY_DIR}/package/jina.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${CMAKE_BINARY_DIR}/package/jina.bash RENAME jina
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${CMAKE_BINARY_DIR}/package/_jina DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES ${CMAKE_BINARY_DIR}/package/jina.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()
