#include "training/communicator.h"

#if defined(JINA_HAS_MPI)

#include <ATen/ATen.h>
#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <numeric>
#include <thread>

#include "base/error.h"
#include "training/communicator_nccl.h"

namespace jina {

namespace {

using Clock = std::chrono::steady_clock;

/// How long the worker sleeps between two looks at an operation under way, and a waiting rank between two looks at
/// whether it was asked to stop.
constexpr auto kPoll = std::chrono::microseconds(50);
constexpr auto kPatience = std::chrono::milliseconds(100);
/// A launcher that has lost a rank asks the others to stop and ends them a second later; until then they must have said
/// what happened. (So a request to stop ends a rank that waits for the others; the last checkpoint stays.)
constexpr double kGraceSeconds = 0.6;

MPI_Datatype type_of(at::ScalarType type) {
  switch (type) {
    case at::kFloat: return MPI_FLOAT;
    case at::kDouble: return MPI_DOUBLE;
    case at::kLong: return MPI_INT64_T;
    case at::kByte: return MPI_BYTE;
    default: fail(ErrorKind::kUnsupported, "ranks", "tensors of type {} are not sent", c10::toString(type));
  }
}

/// One thread makes all calls of MPI, one after the other, so that sums run beside the backward pass.
class MpiCommunicator final : public Communicator {
 public:
  explicit MpiCommunicator(const RanksOptions& options) : options_(options) {
    int provided = 0;
    if (MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided) != MPI_SUCCESS ||
        provided < MPI_THREAD_SERIALIZED) {
      fail(ErrorKind::kUnsupported, "ranks", "this MPI does not allow calls from another thread");
    }
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
    MPI_Comm machine = MPI_COMM_NULL;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &machine);
    MPI_Comm_rank(machine, &local_rank_);
    MPI_Comm_free(&machine);
    worker_ = std::thread([this] { work(); });
  }

  ~MpiCommunicator() override {
    {
      const std::lock_guard lock(mutex_);
      is_ending_ = true;
      // Other ranks do not come to the end of MPI when this one unwinds from an error.
      is_cancelled_ = is_cancelled_ || !queue_.empty() || is_busy_ || std::uncaught_exceptions() > 0;
    }
    changed_.notify_all();
    worker_.join();
    device_.reset();
    if (!is_cancelled_) MPI_Finalize();
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  int local_rank() const override { return local_rank_; }

  at::Tensor all_gather(const at::Tensor& own) override {
    const std::vector<int64_t> rows = gather_rows(own.size(0));
    if (is_for_device(own)) return all_gather_on_device(own.detach(), rows);
    const at::Tensor host = own.detach().to(at::kCPU).contiguous();
    const int64_t width = host.size(0) == 0 ? 1 : host.numel() / host.size(0);
    std::vector<int> counts, begins;
    int64_t all_rows = 0;
    for (const int64_t count : rows) {
      counts.push_back(static_cast<int>(count * width));
      begins.push_back(static_cast<int>(all_rows * width));
      all_rows += count;
    }
    std::vector<int64_t> sizes(host.sizes().begin(), host.sizes().end());
    sizes.front() = all_rows;
    at::Tensor all = at::empty(sizes, host.options());
    post([&](MPI_Request* request) {
      return MPI_Iallgatherv(host.data_ptr(), counts[static_cast<size_t>(rank_)], type_of(host.scalar_type()),
                             all.data_ptr(), counts.data(), begins.data(), type_of(host.scalar_type()), MPI_COMM_WORLD,
                             request);
    });
    wait();
    return all.to(own.device());
  }

  void sum(const std::vector<at::Tensor>& tensors) override {
    for (const at::Tensor& tensor : tensors) start_sum(tensor);
    wait();
  }

  void start_sum(const at::Tensor& tensor) override {
    JINA_CHECK(tensor.is_contiguous());
    if (is_for_device(tensor)) return device_->start_sum(tensor.detach());
    const at::Tensor host = tensor.detach().to(at::kCPU);
    const bool is_copy = !tensor.device().is_cpu();
    post([host](MPI_Request* request) {
      return MPI_Iallreduce(MPI_IN_PLACE, host.data_ptr(), static_cast<int>(host.numel()), type_of(host.scalar_type()),
                            MPI_SUM, MPI_COMM_WORLD, request);
    });
    if (is_copy) copies_.emplace_back(tensor, host);
  }

  void wait() override {
    std::unique_lock lock(mutex_);
    const auto begin = Clock::now();
    std::optional<Clock::time_point> asked;
    for (;;) {
      const bool is_device_done = !device_ || device_->is_done();
      if ((queue_.empty() && !is_busy_ && is_device_done) || !error_.empty()) break;
      changed_.wait_for(lock, is_device_done ? std::chrono::microseconds(kPatience) : kPoll);
      if (options_.is_stopped && options_.is_stopped() && !asked) asked = Clock::now();
      const std::chrono::duration<double> waited = Clock::now() - begin;
      const bool is_lost = asked && std::chrono::duration<double>(Clock::now() - *asked).count() > kGraceSeconds;
      if (!is_lost && waited.count() < options_.timeout) continue;
      is_cancelled_ = true;
      fail(ErrorKind::kNetwork, fmt::format("rank {} of {}", rank_, size_),
           "{}; the run ends here, its last checkpoint is whole: start it again with --resume",
           is_lost ? "asked to stop while other ranks did not come: one of them is lost"
                   : fmt::format("no answer from the other ranks for {:.0f} s: one of them is lost or stuck",
                                 options_.timeout));
    }
    if (!error_.empty()) {
      is_cancelled_ = true;
      fail(ErrorKind::kNetwork, fmt::format("rank {} of {}", rank_, size_),
           "MPI failed: {}; the run ends here, its last checkpoint is whole: start it again with --resume", error_);
    }
    lock.unlock();
    for (const auto& [to, from] : std::exchange(copies_, {})) to.copy_(from);
  }

  double sum(double value) override {
    const at::Tensor one = at::full({1}, value, at::kDouble);
    sum(std::vector{one});
    return one.item<double>();
  }

  void barrier() override { sum(0.0); }

  std::string broadcast(const std::string& text) override {
    const bool is_first = rank_ == 0;
    const auto length = static_cast<int64_t>(sum(is_first ? static_cast<double>(text.size()) : 0.0));
    std::string result = is_first ? text : std::string(static_cast<size_t>(length), '\0');
    post([&](MPI_Request* request) {
      return MPI_Ibcast(result.data(), static_cast<int>(length), MPI_BYTE, 0, MPI_COMM_WORLD, request);
    });
    wait();
    return result;
  }

 private:
  using Start = std::function<int(MPI_Request*)>;

  /// Whether `tensor` goes by NCCL. The ranks join it at the first such tensor.
  bool is_for_device(const at::Tensor& tensor) {
    if (!tensor.is_cuda() || !has_nccl()) return false;
    if (!device_) device_ = join_nccl(broadcast(rank_ == 0 ? make_nccl_id() : ""), rank_, size_, tensor.get_device());
    return true;
  }

  std::vector<int64_t> gather_rows(int64_t own) {
    std::vector<int64_t> rows(static_cast<size_t>(size_));
    post([&](MPI_Request* request) {
      return MPI_Iallgather(&own, 1, MPI_INT64_T, rows.data(), 1, MPI_INT64_T, MPI_COMM_WORLD, request);
    });
    wait();
    return rows;
  }

  /// NCCL gathers equal parts only: all ranks send as many rows as the largest part has.
  at::Tensor all_gather_on_device(const at::Tensor& own, const std::vector<int64_t>& rows) {
    const int64_t most = std::ranges::max(rows);
    std::vector<int64_t> sizes = own.sizes().vec();
    sizes.front() = most;
    const at::Tensor padded = at::zeros(sizes, own.options());
    padded.narrow(0, 0, own.size(0)).copy_(own);
    sizes.front() = most * size_;
    const at::Tensor all = at::empty(sizes, own.options());
    device_->start_all_gather(padded, all);
    wait();
    std::vector<at::Tensor> parts;
    for (size_t i = 0; i < rows.size(); ++i) {
      parts.push_back(all.narrow(0, static_cast<int64_t>(i) * most, rows[i]));
    }
    return at::cat(parts);
  }

  void post(Start start) {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(start));
    }
    changed_.notify_all();
  }

  void work() {
    for (;;) {
      Start start;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return is_ending_ || is_cancelled_ || !queue_.empty(); });
        if (is_cancelled_ || queue_.empty()) return;
        start = std::move(queue_.front());
        queue_.pop_front();
        is_busy_ = true;
      }
      const std::string error = complete(start);
      {
        const std::lock_guard lock(mutex_);
        is_busy_ = false;
        if (!error.empty()) error_ = error;
      }
      changed_.notify_all();
    }
  }

  /// Runs one operation to its end, unless the run is given up. → what went wrong, or nothing
  std::string complete(const Start& start) {
    MPI_Request request = MPI_REQUEST_NULL;
    int result = start(&request);
    int is_done = 0;
    while (result == MPI_SUCCESS && is_done == 0) {
      result = MPI_Test(&request, &is_done, MPI_STATUS_IGNORE);
      if (is_done != 0) break;
      {
        const std::lock_guard lock(mutex_);
        if (is_cancelled_) return "given up";
      }
      std::this_thread::sleep_for(kPoll);
    }
    if (result == MPI_SUCCESS) return {};
    std::string text(MPI_MAX_ERROR_STRING, '\0');
    int length = 0;
    MPI_Error_string(result, text.data(), &length);
    text.resize(static_cast<size_t>(length));
    return text;
  }

  RanksOptions options_;
  int rank_ = 0;
  int size_ = 1;
  int local_rank_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Start> queue_;
  bool is_busy_ = false;
  bool is_ending_ = false;
  bool is_cancelled_ = false;
  std::string error_;
  std::vector<std::pair<at::Tensor, at::Tensor>> copies_;  // device tensor, its sum on the host
  std::unique_ptr<DeviceRanks> device_;                    // null until the first tensor on CUDA
  std::thread worker_;
};

}  // namespace

std::unique_ptr<Communicator> make_mpi_communicator(const RanksOptions& options) {
  return std::make_unique<MpiCommunicator>(options);
}

}  // namespace jina

#else

#include "base/error.h"

namespace jina {

std::unique_ptr<Communicator> make_mpi_communicator(const RanksOptions& /*options*/) {
  fail(ErrorKind::kUnsupported, "ranks", "this build has no MPI: install OpenMPI (libopenmpi-dev) and build again");
}

}  // namespace jina

#endif
