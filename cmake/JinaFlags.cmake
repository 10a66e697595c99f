# Warnings, sanitizers and the flags of files written for one instruction set.

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  add_compile_options(-Wno-restrict)  # gcc 12 sees overlaps in std::string that are not there (gcc bug 105651)
endif()
if(JINA_WERROR)
  add_compile_options(-Werror)
endif()

if(JINA_SANITIZE)
  add_compile_options(-fsanitize=${JINA_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${JINA_SANITIZE})
endif()

find_program(JINA_CCACHE ccache)
if(JINA_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${JINA_CCACHE})
endif()

# A file whose name ends in one of these suffixes is compiled for that instruction set and called only after a run-time
# check (ops/cpu/isa.h). Such files include no header with inline functions that the rest of the program uses too.
set(JINA_ISA_avx2 -mavx2 -mfma -mf16c)
set(JINA_ISA_avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mf16c -mprefer-vector-width=512)
set(JINA_ISA_avx512bf16 ${JINA_ISA_avx512} -mavx512bf16 -mavx512vnni)

function(jina_isa_flags)
  foreach(source IN LISTS ARGN)
    foreach(isa avx2 avx512 avx512bf16)
      if(source MATCHES "_${isa}\\.cpp$")
        set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${JINA_ISA_${isa}}")
      endif()
    endforeach()
  endforeach()
endfunction()
