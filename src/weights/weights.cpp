#include "weights/weights.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "weights/safetensors_header.h"

namespace jina {

namespace {

/// Tensors of each kind that finish() names, more than any model here has; the rest of a hostile file are counted.
constexpr size_t kListed = 2000;

bool is_floating(DType dtype) { return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16; }

/// "3 missing:\n  name: detail\n  …" appended to `message`; nothing when there are none.
void append_list(std::string& message, std::string_view heading, const std::map<std::string, std::string>& tensors) {
  if (tensors.empty()) return;
  message += fmt::format("\n{} {}:", tensors.size(), heading);
  size_t count = 0;
  for (const auto& [name, detail] : tensors) {
    if (count++ == kListed) {
      message += fmt::format("\n  and {} more", tensors.size() - kListed);
      return;
    }
    message += fmt::format("\n  {}{}{}", quoted_name(name), detail.empty() ? "" : ": ", detail);
  }
}

}  // namespace

bool name_matches(std::string_view pattern, std::string_view name) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  const std::string_view rest = pattern.substr(star + 1);
  for (size_t skipped = star; skipped <= name.size(); ++skipped) {
    if (name_matches(rest, name.substr(skipped))) return true;
  }
  return false;
}

struct Weights::Account {
  std::shared_ptr<WeightSource> source;
  std::set<std::string, std::less<>> names;        // all of the source
  std::set<std::string, std::less<>> requested;    // asked for, found or not
  std::map<std::string, std::string> missing;      // name → what was expected
  std::map<std::string, std::string> ill_fitting;  // name → expected and found shape or type
  std::vector<std::string> ignored;                // patterns
  std::vector<Tensor> taken;                       // since the last release
  int64_t parameters = 0;
  uint64_t wrong_bytes = 0;  // of all zeros() so far

  bool is_ignored(std::string_view name) const {
    return std::ranges::any_of(ignored, [&](const std::string& pattern) { return name_matches(pattern, name); });
  }

  /// Zeros in place of a tensor that is noted as wrong. When all of them together weigh more than any model here, the
  /// account is closed at once: sizes and numbers of layers in a broken config must not become an allocation.
  Tensor zeros(const Shape& shape) {
    constexpr uint64_t kMostBytes = uint64_t{3} << 30;
    constexpr uint64_t kLeastBytes = uint64_t{64} << 10;  // a price for each, so that millions of small ones end too
    uint64_t bytes = sizeof(float);
    bool is_sane = true;
    for (int i = 0; i < shape.rank() && is_sane; ++i) {
      is_sane = shape[i] >= 0 && !__builtin_mul_overflow(bytes, static_cast<uint64_t>(shape[i]), &bytes);
    }
    if (!is_sane || bytes > kMostBytes) close(false);
    wrong_bytes += std::max(bytes, kLeastBytes);
    if (wrong_bytes > kMostBytes) close(false);
    return make_tensor(DType::kF32, shape);
  }

  /// The tensor when it fits; zeros, noted, when it does not; nothing when there is none.
  std::optional<Tensor> take(const std::string& name, const Shape& shape) {
    auto found = source->find(name, shape);
    const bool is_first = requested.insert(name).second;
    if (!found) return std::nullopt;
    if (!is_floating(found->dtype())) {
      ill_fitting[name] = fmt::format("expected f32, f16 or bf16, file has {}", to_string(found->dtype()));
      return zeros(shape);
    }
    if (found->shape() != shape) {
      ill_fitting[name] = fmt::format("expected {}, file has {}", to_string(shape), to_string(found->shape()));
      return zeros(shape);
    }
    if (is_first) parameters += shape.elements();
    taken.push_back(*found);
    return found;
  }

  /// Fails with all that is wrong. Before the last request nothing can be said about unused tensors.
  void close(bool is_last) const {
    std::map<std::string, std::string> unused;
    for (const std::string& name : names) {
      if (is_last && !requested.contains(name) && !is_ignored(name)) unused.emplace(name, "");
    }
    if (missing.empty() && ill_fitting.empty() && unused.empty()) return;
    std::string message = "the weights do not fit the model of config.json";
    append_list(message, "missing", missing);
    append_list(message, "of another shape or type", ill_fitting);
    append_list(message, "in the file that the model does not know", unused);
    if (!is_last) message += "\nthat is more than any model here weighs, so the rest was not looked at";
    throw Error(ErrorKind::kModelFile, message, source->where());
  }
};

Weights::Weights(std::shared_ptr<WeightSource> source) : account_(std::make_shared<Account>()) {
  for (std::string& name : source->names()) account_->names.insert(std::move(name));
  account_->source = std::move(source);
}

Weights Weights::operator/(std::string_view name) const {
  Weights part = *this;
  if (name.empty()) return part;
  if (!part.scope_.empty()) part.scope_ += '.';
  part.scope_ += name;
  return part;
}

Weights Weights::operator/(int64_t index) const { return *this / std::string_view(std::to_string(index)); }

Tensor Weights::get(std::string_view name, const Shape& shape) const {
  const std::string full = (*this / name).scope_;
  if (auto found = account_->take(full, shape)) return *std::move(found);
  account_->missing.emplace(full, fmt::format("expected {}", to_string(shape)));
  return account_->zeros(shape);
}

std::optional<Tensor> Weights::find(std::string_view name, const Shape& shape) const {
  return account_->take((*this / name).scope_, shape);
}

bool Weights::has(std::string_view name) const { return account_->names.contains((*this / name).scope_); }

void Weights::ignore(std::string_view pattern) const { account_->ignored.emplace_back(pattern); }

void Weights::finish() const {
  release_taken();
  account_->close(true);
}

int64_t Weights::parameters() const { return account_->parameters; }

void Weights::release_taken() const {
  for (const Tensor& tensor : account_->taken) account_->source->release(tensor);
  account_->taken.clear();
}

}  // namespace jina
