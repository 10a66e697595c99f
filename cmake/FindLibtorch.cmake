# libtorch as it lies in the `torch` package of PyPI, whose own CMake files want a CUDA toolkit. Gives Libtorch::Libtorch.
#
# JINA_TORCH_ROOT: the folder that holds torch/ and nvidia/ (a site-packages folder, or what tools/fetch_torch.sh made).
# Without CUDA libraries there only libtorch_cpu.so and libc10.so are linked.

set(JINA_TORCH_VERSION 2.11.0)
if(DEFINED ENV{JINA_CACHE})
  set(jina_cache $ENV{JINA_CACHE})
elseif(DEFINED ENV{XDG_CACHE_HOME})
  set(jina_cache $ENV{XDG_CACHE_HOME}/jina)
else()
  set(jina_cache $ENV{HOME}/.cache/jina)
endif()
set(JINA_TORCH_ROOT "$ENV{JINA_TORCH_ROOT}" CACHE PATH "Folder that holds the torch package of PyPI")
if(NOT JINA_TORCH_ROOT)
  set(JINA_TORCH_ROOT ${jina_cache}/torch/${JINA_TORCH_VERSION} CACHE PATH "" FORCE)
endif()

find_path(Libtorch_INCLUDE ATen/ATen.h PATHS ${JINA_TORCH_ROOT}/torch/include NO_DEFAULT_PATH)
find_library(Libtorch_CPU torch_cpu PATHS ${JINA_TORCH_ROOT}/torch/lib NO_DEFAULT_PATH)
find_library(Libtorch_C10 c10 PATHS ${JINA_TORCH_ROOT}/torch/lib NO_DEFAULT_PATH)
find_library(Libtorch_CUDA torch_cuda PATHS ${JINA_TORCH_ROOT}/torch/lib NO_DEFAULT_PATH)
if(Libtorch_INCLUDE)
  file(STRINGS ${Libtorch_INCLUDE}/torch/headeronly/version.h version_lines REGEX "TORCH_VERSION_(MAJOR|MINOR|PATCH) [0-9]+$")
  string(REGEX REPLACE "[^;]* ([0-9]+)" "\\1" version_lines "${version_lines}")
  list(JOIN version_lines "." Libtorch_VERSION)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libtorch REQUIRED_VARS Libtorch_CPU Libtorch_C10 Libtorch_INCLUDE
  VERSION_VAR Libtorch_VERSION
  REASON_FAILURE_MESSAGE "run tools/fetch_torch.sh, or point JINA_TORCH_ROOT at the folder that holds torch ${JINA_TORCH_VERSION}")

if(Libtorch_FOUND AND NOT TARGET Libtorch::Libtorch)
  add_library(Libtorch::Libtorch INTERFACE IMPORTED)
  # Behind the system's own folders: the package carries headers of other libraries too (fmt, dnnl, …), of other versions
  # than those that are linked.
  target_compile_options(Libtorch::Libtorch INTERFACE
    "SHELL:-idirafter ${Libtorch_INCLUDE}" "SHELL:-idirafter ${Libtorch_INCLUDE}/torch/csrc/api/include")
  # The CUDA half registers itself when it is loaded: no symbol of it is named, so the linker must not drop it.
  if(Libtorch_CUDA)
    target_link_libraries(Libtorch::Libtorch INTERFACE -Wl,--no-as-needed ${Libtorch_CUDA} -Wl,--as-needed)
  endif()
  target_link_libraries(Libtorch::Libtorch INTERFACE ${Libtorch_CPU} ${Libtorch_C10})
  # The libraries name their own neighbours by RPATH; the linker must find those too.
  file(GLOB Libtorch_NEIGHBOURS ${JINA_TORCH_ROOT}/nvidia/*/lib)
  foreach(folder IN LISTS Libtorch_NEIGHBOURS)
    target_link_options(Libtorch::Libtorch INTERFACE -Wl,-rpath-link,${folder})
  endforeach()
  target_link_options(Libtorch::Libtorch INTERFACE -Wl,-rpath-link,${JINA_TORCH_ROOT}/torch/lib)
endif()
