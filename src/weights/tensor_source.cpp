#include "weights/tensor_source.h"

namespace jina {

namespace {

class TensorSource final : public WeightSource {
 public:
  TensorSource(std::map<std::string, Tensor> tensors, std::string where)
      : tensors_(std::move(tensors)), where_(std::move(where)) {}

  std::optional<Tensor> find(const std::string& name, const Shape& /*shape*/) override {
    const auto found = tensors_.find(name);
    return found == tensors_.end() ? std::nullopt : std::optional(found->second);
  }
  std::vector<std::string> names() const override {
    std::vector<std::string> all;
    for (const auto& [name, tensor] : tensors_) all.push_back(name);
    return all;
  }
  const std::string& where() const override { return where_; }
  void release(const Tensor& /*tensor*/) override {}

 private:
  std::map<std::string, Tensor> tensors_;
  std::string where_;
};

}  // namespace

std::shared_ptr<WeightSource> make_tensor_source(std::map<std::string, Tensor> tensors, std::string where) {
  return std::make_shared<TensorSource>(std::move(tensors), std::move(where));
}

}  // namespace jina
