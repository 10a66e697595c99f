include(${CMAKE_CURRENT_LIST_DIR}/jinaTargets.cmake)

# The C++ headers want C++20; a program in C uses jina/jina.h and needs no C++ compiler.
if(CMAKE_CXX_COMPILER_LOADED)
  target_compile_features(jina::jina INTERFACE cxx_std_20)
endif()
