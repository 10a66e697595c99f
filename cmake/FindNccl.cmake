# NCCL, and of CUDA what its header and libtorch's ask for, as they lie beside the CUDA `torch` of PyPI or where
# JINA_NCCL_ROOT (include/, lib/) and CUDA_HOME say. Of the packages nvidia-cuda-crt and
# nvidia-cuda-cccl (headers only) do not come with `torch`. Gives Nccl::Nccl; needs what FindLibtorch has found.

set(JINA_NCCL_ROOT "$ENV{JINA_NCCL_ROOT}" CACHE PATH "Folder that holds include/nccl.h and lib/libnccl.so")
file(GLOB jina_cuda_includes ${JINA_TORCH_ROOT}/nvidia/*/include)
file(GLOB jina_cuda_libraries ${JINA_TORCH_ROOT}/nvidia/*/lib)

find_path(Nccl_INCLUDE nccl.h HINTS ${JINA_NCCL_ROOT}/include ${jina_cuda_includes})
find_library(Nccl_LIBRARY NAMES nccl libnccl.so.2 HINTS ${JINA_NCCL_ROOT}/lib ${jina_cuda_libraries})
find_path(Nccl_CUDA_INCLUDE cuda_runtime_api.h HINTS ${jina_cuda_includes} $ENV{CUDA_HOME}/include)
find_path(Nccl_CRT_INCLUDE crt/host_config.h HINTS ${jina_cuda_includes} $ENV{CUDA_HOME}/include)
find_path(Nccl_NV_INCLUDE nv/target HINTS ${jina_cuda_includes} $ENV{CUDA_HOME}/include)
find_library(Nccl_CUDART NAMES cudart libcudart.so.13 libcudart.so.12 HINTS ${jina_cuda_libraries} $ENV{CUDA_HOME}/lib64)
find_library(Nccl_C10_CUDA c10_cuda PATHS ${JINA_TORCH_ROOT}/torch/lib NO_DEFAULT_PATH)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Nccl
  REQUIRED_VARS Nccl_LIBRARY Nccl_INCLUDE Nccl_CUDA_INCLUDE Nccl_CRT_INCLUDE Nccl_NV_INCLUDE Nccl_CUDART Nccl_C10_CUDA Libtorch_CUDA
  REASON_FAILURE_MESSAGE "tensors on CUDA go between ranks by way of the host (packages: nvidia-nccl-cu13, nvidia-cuda-crt, nvidia-cuda-cccl)")

if(Nccl_FOUND AND NOT TARGET Nccl::Nccl)
  add_library(Nccl::Nccl INTERFACE IMPORTED)
  target_include_directories(Nccl::Nccl SYSTEM INTERFACE ${Nccl_INCLUDE} ${Nccl_CUDA_INCLUDE} ${Nccl_CRT_INCLUDE}
    ${Nccl_NV_INCLUDE})
  target_link_libraries(Nccl::Nccl INTERFACE ${Nccl_C10_CUDA} ${Nccl_CUDART} ${Nccl_LIBRARY})
endif()
