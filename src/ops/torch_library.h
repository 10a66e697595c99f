#pragma once

#include <memory>
#include <string>

#include "ops/backend.h"

namespace jina {

struct TorchBackendOptions {
  std::string device = "cpu";  ///< cpu or cuda
  DType compute = DType::kF32;
  int threads = 0;
};

/// The function of libjina_torch.so that makes its backend, found by this name. It throws Error.
using MakeTorchBackend = void (*)(const TorchBackendOptions& options, std::unique_ptr<Backend>& backend);
inline constexpr const char* kMakeTorchBackendSymbol = "jina_make_torch_backend";

/// libjina_torch.so: what stands on libtorch, loaded when it is asked for. Once loaded it stays until the process ends,
/// since backends and errors made by it have their code there.
///
///     const TorchLibrary library = TorchLibrary::load(TorchLibrary::program_folder());
///     std::unique_ptr<Backend> backend = library.make_backend({.device = "cuda"});
class TorchLibrary {
 public:
  /// Looks in `folder`/../lib, then in `folder`. Errors kUnsupported: not there (says how to get it), or the system
  /// cannot load it (says why).
  static TorchLibrary load(const std::string& folder);
  /// The folder of the running program.
  static std::string program_folder();

  std::unique_ptr<Backend> make_backend(const TorchBackendOptions& options) const;

  /// The function of this name. Error kUnsupported when the library lacks it: it is of another version.
  template <typename Function>  // a pointer to a function
  Function find(const char* symbol) const {
    return reinterpret_cast<Function>(address_of(symbol));
  }

  const std::string& path() const { return path_; }

 private:
  TorchLibrary(std::string path, void* handle) : path_(std::move(path)), handle_(handle) {}
  void* address_of(const char* symbol) const;

  std::string path_;
  void* handle_;  // never closed
};

}  // namespace jina
