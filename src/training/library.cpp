#include "training/library.h"

#include <ATen/Parallel.h>

#include "ops/torch/torch_backend.h"
#include "ops/torch/torch_memory.h"
#include "ops/torch_library.h"
#include "training/trainer.h"

// The functions that the program finds in libjina_torch.so.

extern "C" __attribute__((visibility("default"))) void jina_train(const jina::TrainRequest& request,
                                                                  const jina::TrainingEvents& events) {
  jina::recycle_tensor_pages();
  const std::unique_ptr<jina::Communicator> ranks =
      request.is_launched_by_mpi
          ? jina::make_mpi_communicator({.timeout = request.rank_timeout, .is_stopped = events.is_stopped})
          : jina::make_single_communicator();
  jina::train(request, events, *ranks);
}

extern "C" __attribute__((visibility("default"))) void jina_make_torch_backend(
    const jina::TorchBackendOptions& options, std::unique_ptr<jina::Backend>& backend) {
  if (options.threads > 0) at::set_num_threads(options.threads);
  backend = std::make_unique<jina::TorchBackend>(
      jina::TorchOptions{.device = at::Device(options.device), .compute = options.compute});
}
