#include "ops/torch_library.h"

#include <dlfcn.h>

#include <filesystem>
#include <vector>

#include "base/error.h"

namespace jina {

namespace {

namespace fs = std::filesystem;

constexpr const char* kFileName = "libjina_torch.so";

std::string last_reason() {
  const char* reason = dlerror();
  return reason != nullptr ? reason : "unknown reason";
}

}  // namespace

TorchLibrary TorchLibrary::load(const std::string& folder) {
  const std::vector<fs::path> places = {(fs::path(folder) / ".." / "lib" / kFileName).lexically_normal(),
                                        fs::path(folder) / kFileName};
  for (const fs::path& place : places) {
    std::error_code code;
    if (!fs::exists(place, code)) continue;
    // Local: the symbols of libtorch, and the library's own copies of ours, stay out of the program's way.
    void* handle = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
      fail(ErrorKind::kUnsupported, place.string(),
           "cannot be loaded: {}; tools/fetch_torch.sh gets the libtorch it was built with", last_reason());
    }
    return {place.string(), handle};
  }
  fail(ErrorKind::kUnsupported, kFileName,
       "not found in {} nor in {}; training and GPUs need it: run tools/fetch_torch.sh, then build with "
       "-DJINA_TORCH=ON",
       places[0].parent_path().string(), places[1].parent_path().string());
}

std::string TorchLibrary::program_folder() {
  std::error_code code;
  const fs::path program = fs::read_symlink("/proc/self/exe", code);
  if (code) fail(ErrorKind::kIo, "/proc/self/exe", "cannot tell where the program lies: {}", code.message());
  return program.parent_path().string();
}

std::unique_ptr<Backend> TorchLibrary::make_backend(const TorchBackendOptions& options) const {
  std::unique_ptr<Backend> backend;
  find<MakeTorchBackend>(kMakeTorchBackendSymbol)(options, backend);
  return backend;
}

void* TorchLibrary::address_of(const char* symbol) const {
  void* address = dlsym(handle_, symbol);
  if (address == nullptr) {
    fail(ErrorKind::kUnsupported, path_, "has no '{}': expected the library built with this program ({})", symbol,
         last_reason());
  }
  return address;
}

}  // namespace jina
