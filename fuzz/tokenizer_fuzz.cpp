// room: text
// Any bytes as a tokenizer.json either load or give an Error, and what loads encodes texts without harm.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "text/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr std::string_view kTexts[] = {
      "Hello, World! caf\u00e9 e\u0301\u0323 \u4e2d\u6587 \ud55c\uad6d \U0001F468\u200D\U0001F469 [CLS]<s>  "
      "12345\r\n\u2581x-y'll",
      "", " "};
  try {
    const jina::Tokenizer tokenizer =
        jina::Tokenizer::parse(std::string_view(reinterpret_cast<const char*>(data), size), "input");
    for (const std::string_view text : kTexts) {
      const jina::Encoding encoding = tokenizer.encode(text);
      for (size_t i = 0; i < encoding.ids.size(); ++i) {
        const jina::ByteSpan span = encoding.offsets[i];
        if (span.begin > span.end || span.end > text.size()) std::abort();
        tokenizer.token(encoding.ids[i]);
      }
      tokenizer.encode_pair(text, "pair", {.add_special_tokens = false, .max_length = 5});
    }
  } catch (const jina::Error&) {
  }
  return 0;
}
