#pragma once

#include <map>
#include <memory>
#include <string>

#include "weights/weights.h"

namespace jina {

/// Named tensors in memory as a source of weights; `where` stands for them in messages.
std::shared_ptr<WeightSource> make_tensor_source(std::map<std::string, Tensor> tensors, std::string where);

}  // namespace jina
