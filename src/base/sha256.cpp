#include "base/sha256.h"

#include <openssl/evp.h>

#include "base/error.h"
#include "base/file.h"

namespace jina {

struct Sha256::Context {
  EVP_MD_CTX* value = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(value); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  JINA_CHECK(EVP_DigestInit_ex(context_->value, EVP_sha256(), nullptr) == 1);
}

Sha256::~Sha256() = default;

void Sha256::update(std::span<const std::byte> bytes) {
  JINA_CHECK(EVP_DigestUpdate(context_->value, bytes.data(), bytes.size()) == 1);
}

std::string Sha256::hex() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  JINA_CHECK(EVP_DigestFinal_ex(context_->value, digest, &size) == 1);
  std::string text;
  for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

std::string sha256_of_file(const std::string& path) {
  constexpr size_t kPiece = size_t{16} << 20;
  const auto file = MappedFile::open(path);
  Sha256 digest;
  for (auto rest = file->bytes(); !rest.empty();) {
    const auto piece = rest.first(std::min(kPiece, rest.size()));
    digest.update(piece);
    file->release(piece);
    rest = rest.subspan(piece.size());
  }
  return digest.hex();
}

}  // namespace jina
