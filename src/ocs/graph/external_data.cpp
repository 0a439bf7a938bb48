#include "ocs/graph/external_data.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;

std::optional<std::string_view> entry(const onnx::TensorProto& proto, std::string_view key) {
  for (const auto& pair : proto.external_data())
    if (pair.key() == key) return pair.value();
  return std::nullopt;
}

std::optional<std::uint64_t> number(const onnx::TensorProto& proto, std::string_view key) {
  const auto text = entry(proto, key);
  if (!text) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size()) {
    throw_bad_input(fmt::format("external data: {} '{}' is not a number of bytes", key, *text));
  }
  return value;
}

fs::path file_of(const onnx::TensorProto& proto, const fs::path& folder) {
  const auto location = entry(proto, "location");
  if (!location || location->empty()) throw_bad_input("external data: no location is given");
  const fs::path relative(*location);
  // Lexically: a file of the user's own may well be a symbolic link to a store elsewhere, a hostile
  // model cannot make one.
  const bool leaves = relative.is_absolute() ||
                      std::ranges::find(relative, fs::path("..")) != relative.end() ||
                      location->find('\0') != std::string_view::npos;
  if (leaves)
    throw_bad_input(
        fmt::format("external data: location '{}' leaves the folder of the model", *location));
  return folder / relative;
}

}  // namespace

ExternalRange external_range(const onnx::TensorProto& proto, const fs::path& folder,
                             std::optional<std::uint64_t> expected) {
  const fs::path file = file_of(proto, folder);
  std::error_code error;
  const bool regular = fs::is_regular_file(file, error);
  const std::uint64_t available = regular ? fs::file_size(file, error) : 0;
  if (!regular || error)
    throw_bad_input(
        fmt::format("external data: '{}' is not a file that can be read", file.string()));

  const std::uint64_t offset = number(proto, "offset").value_or(0);
  const auto stated = number(proto, "length");
  if (stated && expected && *stated != *expected) {
    throw_bad_input(fmt::format(
        "external data: length {} where its type and shape ask for {} bytes", *stated, *expected));
  }
  const std::uint64_t rest = available - std::min(available, offset);
  const std::uint64_t length = stated ? *stated : expected.value_or(rest);
  if (offset > available || length > rest) {
    throw_bad_input(fmt::format("external data: '{}' has {} bytes, too few for {} at offset {}",
                                file.string(), available, length, offset));
  }
  return {.file = file, .offset = offset, .length = length};
}

void read_external(const ExternalRange& range, std::uint64_t start, std::span<std::byte> bytes) {
  std::ifstream stream;
  stream.rdbuf()->pubsetbuf(nullptr, 0);  // straight into `bytes`
  stream.open(range.file, std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(range.offset + start));
  stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!stream && !bytes.empty())
    throw_bad_input(fmt::format("external data: '{}' cannot be read", range.file.string()));
}

}  // namespace ocs
