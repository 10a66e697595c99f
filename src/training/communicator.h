#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace jina {

/// The other processes of a run. Every call is made by all ranks in the same order; it returns the same bits on all of
/// them. Errors: kNetwork when a rank is lost or does not answer in time.
class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// Among the ranks on this machine, from 0.
  virtual int local_rank() const = 0;

  /// The tensors of all ranks one below the other along the first dimension, in the order of ranks; other sizes equal.
  virtual at::Tensor all_gather(const at::Tensor& own) = 0;
  /// Adds up each tensor over all ranks, in place.
  virtual void sum(const std::vector<at::Tensor>& tensors) = 0;
  /// Starts the sum of `tensor`, in place; it is there after wait(). Called in the same order by all ranks.
  virtual void start_sum(const at::Tensor& tensor) = 0;
  virtual void wait() = 0;
  virtual double sum(double value) = 0;
  virtual void barrier() = 0;
  /// Rank 0's text on all ranks.
  virtual std::string broadcast(const std::string& text) = 0;
};

/// A run of one process.
std::unique_ptr<Communicator> make_single_communicator();

struct RanksOptions {
  double timeout = 600;                ///< seconds that a rank waits for the others before it gives up
  std::function<bool()> is_stopped{};  ///< asked while waiting: launchers ask the others to stop when a rank is lost
};

/// The ranks that mpirun or srun started. CPU tensors go by MPI, tensors on CUDA by NCCL where this build has it, or
/// else by way of the host. Error kUnsupported when this build has no MPI.
std::unique_ptr<Communicator> make_mpi_communicator(const RanksOptions& options);

}  // namespace jina
