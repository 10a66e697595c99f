#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>

namespace jina {

/// Operations of all ranks on CUDA tensors, for the communicator that has brought the ranks together. They are started
/// in the same order by all ranks and go on beside what the current stream does; nothing here waits for other ranks.
/// One rank for each device. Errors: kNetwork when NCCL reports one.
class DeviceRanks {
 public:
  virtual ~DeviceRanks() = default;
  /// all: (ranks * rows, …) for (rows, …) of each rank; both contiguous, of the same sizes on all ranks.
  virtual void start_all_gather(const at::Tensor& own, const at::Tensor& all) = 0;
  /// In place.
  virtual void start_sum(const at::Tensor& tensor) = 0;
  /// Moves on what was started; whether all of it is done. To be asked again and again.
  virtual bool is_done() = 0;
};

/// Whether this build has NCCL.
bool has_nccl();
/// What join_nccl of all ranks needs; made by one of them.
std::string make_nccl_id();
/// The ranks of `id`, of which this one has the CUDA device `device`. Unless all is done when it is destroyed, what is
/// under way is given up.
std::unique_ptr<DeviceRanks> join_nccl(const std::string& id, int rank, int size, int device);

}  // namespace jina
