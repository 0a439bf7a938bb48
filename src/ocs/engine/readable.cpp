#include "ocs/engine/readable.h"

namespace ocs {

std::string readable(std::string_view message) {
  std::string text(message.substr(0, message.find('\n')));
  if (const std::size_t path = text.find("/onnxruntime_src/"); path != std::string::npos) {
    std::size_t end = text.find('(', path);
    for (int depth = 0; end < text.size(); ++end) {
      if (text[end] == '(') ++depth;
      if (text[end] == ')' && --depth == 0) break;
    }
    if (end < text.size()) text.erase(path, text.find_first_not_of(' ', end + 1) - path);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.pop_back();
  return text.empty() ? "it gives no reason" : text;
}

}  // namespace ocs
