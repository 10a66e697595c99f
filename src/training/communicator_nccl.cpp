#include "training/communicator_nccl.h"

#include "base/error.h"

#if defined(JINA_HAS_NCCL)

#include <ATen/ATen.h>
#include <c10/cuda/CUDAEvent.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <nccl.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <vector>

namespace jina {

namespace {

ncclDataType_t type_of(at::ScalarType type) {
  switch (type) {
    case at::kFloat: return ncclFloat32;
    case at::kDouble: return ncclFloat64;
    case at::kLong: return ncclInt64;
    case at::kByte: return ncclUint8;
    default: fail(ErrorKind::kUnsupported, "ranks", "tensors of type {} are not sent", c10::toString(type));
  }
}

class NcclRanks final : public DeviceRanks {
 public:
  NcclRanks(const std::string& id, int rank, int size, int device)
      : device_(static_cast<c10::DeviceIndex>(device)), stream_(c10::cuda::getStreamFromPool(true, device_)) {
    const c10::cuda::CUDAGuard guard(device_);
    ncclUniqueId unique{};
    JINA_CHECK(id.size() == sizeof(unique.internal));
    std::copy(id.begin(), id.end(), unique.internal);
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;  // a call that waits for a rank that is lost would never return
    check(ncclCommInitRankConfig(&ranks_, size, unique, rank, &config));
  }

  /// Between the last barrier of a run and its end nothing is under way on any rank, so giving up is a quiet end too.
  ~NcclRanks() override {
    if (ranks_ != nullptr) ncclCommAbort(ranks_);
  }

  void start_all_gather(const at::Tensor& own, const at::Tensor& all) override {
    JINA_CHECK(own.is_contiguous() && all.is_contiguous() && own.scalar_type() == all.scalar_type());
    start({own, all}, [this, own, all] {
      return ncclAllGather(own.const_data_ptr(), all.mutable_data_ptr(), static_cast<size_t>(own.numel()),
                           type_of(own.scalar_type()), ranks_, stream_.stream());
    });
  }

  void start_sum(const at::Tensor& tensor) override {
    JINA_CHECK(tensor.is_contiguous());
    start({tensor}, [this, tensor] {
      return ncclAllReduce(tensor.const_data_ptr(), tensor.mutable_data_ptr(), static_cast<size_t>(tensor.numel()),
                           type_of(tensor.scalar_type()), ncclSum, ranks_, stream_.stream());
    });
  }

  bool is_done() override {
    advance();
    if (!queue_.empty() || is_busy() || !stream_.query()) return false;
    held_.clear();
    return true;
  }

 private:
  using Operation = std::function<ncclResult_t()>;

  /// `tensors` are kept until all is done: the allocator does not know that this stream reads them.
  void start(const std::vector<at::Tensor>& tensors, Operation operation) {
    const c10::cuda::CUDAGuard guard(device_);
    c10::cuda::CUDAEvent written;
    written.record(c10::cuda::getCurrentCUDAStream(device_));
    written.block(stream_);
    held_.insert(held_.end(), tensors.begin(), tensors.end());
    queue_.push_back(std::move(operation));
    advance();
  }

  /// Gives NCCL all operations that it takes now. It takes none while it connects the ranks, which it does when they
  /// join and at the first operation of a kind.
  void advance() {
    const c10::cuda::CUDAGuard guard(device_);
    while (!queue_.empty() && !is_busy()) {
      check(queue_.front()());
      queue_.pop_front();
    }
  }

  bool is_busy() {
    ncclResult_t state = ncclSuccess;
    check(ncclCommGetAsyncError(ranks_, &state));
    check(state);
    return state == ncclInProgress;
  }

  void check(ncclResult_t result) const {
    if (result == ncclSuccess || result == ncclInProgress) return;
    fail(ErrorKind::kNetwork, "NCCL",
         "{} ({}); the run ends here, its last checkpoint is whole: start it again with --resume",
         ncclGetErrorString(result), ncclGetLastError(ranks_));
  }

  c10::DeviceIndex device_;
  c10::cuda::CUDAStream stream_;
  ncclComm_t ranks_ = nullptr;
  std::deque<Operation> queue_;
  std::vector<at::Tensor> held_;
};

}  // namespace

bool has_nccl() { return true; }

std::string make_nccl_id() {
  ncclUniqueId unique{};
  if (const ncclResult_t result = ncclGetUniqueId(&unique); result != ncclSuccess) {
    fail(ErrorKind::kNetwork, "NCCL", "{}", ncclGetErrorString(result));
  }
  return {unique.internal, sizeof(unique.internal)};
}

std::unique_ptr<DeviceRanks> join_nccl(const std::string& id, int rank, int size, int device) {
  return std::make_unique<NcclRanks>(id, rank, size, device);
}

}  // namespace jina

#else

namespace jina {

bool has_nccl() { return false; }

std::string make_nccl_id() { fail(ErrorKind::kUnsupported, "ranks", "this build has no NCCL"); }

std::unique_ptr<DeviceRanks> join_nccl(const std::string& /*id*/, int /*rank*/, int /*size*/, int /*device*/) {
  fail(ErrorKind::kUnsupported, "ranks", "this build has no NCCL");
}

}  // namespace jina

#endif
