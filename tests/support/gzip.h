#pragma once

#include <zlib.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace jina::test {

/// `content` packed as one gzip part.
inline std::string gzip(std::string_view content) {
  z_stream state{};
  if (deflateInit2(&state, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::runtime_error("zlib");
  std::string packed(deflateBound(&state, content.size()) + 32, '\0');
  state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  state.avail_in = static_cast<uInt>(content.size());
  state.next_out = reinterpret_cast<Bytef*>(packed.data());
  state.avail_out = static_cast<uInt>(packed.size());
  const int code = deflate(&state, Z_FINISH);
  const size_t size = state.total_out;
  deflateEnd(&state);
  if (code != Z_STREAM_END) throw std::runtime_error("deflate did not finish");
  return packed.substr(0, size);
}

}  // namespace jina::test
