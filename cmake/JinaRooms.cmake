# One static library jina_<room> per folder of src/, linked by the table in tools/layers.txt. What stands on libtorch (the
# room `training`, and ops/torch as the library jina_ops_torch) is built with JINA_TORCH only and never linked to the
# program, which loads libjina_torch.so at run time.

set(JINA_LAYERS ${CMAKE_SOURCE_DIR}/tools/layers.txt)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${JINA_LAYERS})
file(STRINGS ${JINA_LAYERS} JINA_LAYER_LINES REGEX "^[a-z_]+:")

# jina_add_room(ROOM NEEDS... ): the library of src/ROOM
function(jina_add_room room sources)
  jina_isa_flags(${sources})
  add_library(jina_${room} STATIC ${sources})
  target_include_directories(jina_${room} PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
  foreach(need IN LISTS ARGN)
    if(TARGET jina_${need})
      target_link_libraries(jina_${room} PUBLIC jina_${need})
    endif()
  endforeach()
  target_link_libraries(jina_${room} PUBLIC ${JINA_LINK_${room}})
endfunction()

# jina_precompile_libtorch(TARGET): reads libtorch's headers from a precompiled one; most of the time to compile a file that
# includes them goes into reading them. The first target makes it, the others take it from there. training/data/ stands
# without libtorch and is compiled without it.
function(jina_precompile_libtorch target)
  get_target_property(plain ${target} SOURCES)
  list(FILTER plain INCLUDE REGEX "/training/data/")
  set_source_files_properties(${plain} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  if(TARGET jina_torch_headers)
    target_precompile_headers(${target} REUSE_FROM jina_torch_headers)
    return()
  endif()
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/torch_headers.cpp CONTENT "// Made to precompile libtorch's headers.\n")
  add_library(jina_torch_headers STATIC ${CMAKE_BINARY_DIR}/generated/torch_headers.cpp)
  target_link_libraries(jina_torch_headers PUBLIC Libtorch::Libtorch)
  target_precompile_headers(jina_torch_headers PRIVATE <ATen/ATen.h> <torch/csrc/autograd/custom_function.h>)
  target_precompile_headers(${target} REUSE_FROM jina_torch_headers)
endfunction()

# jina_add_rooms(): a library for each line of the table whose folder exists; `cli` is the program, made in src/.
function(jina_add_rooms)
  foreach(line IN LISTS JINA_LAYER_LINES)
    string(REGEX REPLACE ":.*" "" room "${line}")
    string(REGEX REPLACE "^[a-z_]+: *" "" needs "${line}")
    separate_arguments(needs)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${room}/*.cpp)
    list(FILTER sources EXCLUDE REGEX "/cli/main\\.cpp$|/ops/torch/")
    if(NOT sources OR (room STREQUAL "training" AND NOT JINA_TORCH))
      continue()
    endif()
    if(room STREQUAL "cli")
      list(REMOVE_ITEM needs training)
    endif()
    jina_add_room(${room} "${sources}" ${needs})
    if(room STREQUAL "training")
      jina_precompile_libtorch(jina_training)
    endif()
    if(room STREQUAL "ops" AND JINA_TORCH)
      file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/ops/torch/*.cpp)
      jina_add_room(ops_torch "${sources}" ops)
      jina_precompile_libtorch(jina_ops_torch)
    endif()
  endforeach()
endfunction()
