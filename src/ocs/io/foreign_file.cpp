#include "ocs/io/foreign_file.h"

#include <array>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string_view>

#include <fmt/format.h>

namespace ocs {
namespace {

struct Known {
  std::string_view start{};
  std::string_view what{};
};
constexpr std::array known_files{
    Known{.start = "version https://git-lfs",
          .what = "is a Git LFS pointer, not the model itself: run `git lfs pull`"},
    Known{.start = "PK\x03\x04",
          .what = "is a ZIP archive (a PyTorch checkpoint?), not an ONNX model"},
    Known{.start = "\x89HDF", .what = "is an HDF5 file (a Keras model?), not an ONNX model"},
    Known{.start = "<!DOCTYPE",
          .what = "is a web page, not an ONNX model: the download went wrong"},
    Known{.start = "<html", .what = "is a web page, not an ONNX model: the download went wrong"},
};

// Fields of ModelProto with their wire types (0 number, 2 bytes).
std::optional<unsigned> wire_type_of(std::uint64_t field) {
  switch (field) {
    case 1:
    case 5:
      return 0;
    case 2:
    case 3:
    case 4:
    case 6:
    case 7:
    case 8:
    case 14:
    case 20:
    case 25:
      return 2;
    default:
      return std::nullopt;
  }
}

// nullopt at the end of the file.
std::optional<std::uint64_t> varint(std::istream& in) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const int byte = in.get();
    if (byte < 0) return std::nullopt;
    value |= (static_cast<std::uint64_t>(byte) & 0x7FU) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string what_is_wrong_with(const std::filesystem::path& file) {
  static constexpr std::string_view not_onnx = "is not an ONNX model";
  std::ifstream in(file, std::ios::binary);
  std::string start(32, '\0');
  in.read(start.data(), static_cast<std::streamsize>(start.size()));
  for (const Known& known : known_files)
    if (start.starts_with(known.start)) return std::string(known.what);

  // The outermost level alone: a field that runs over the end says that the rest is missing.
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(file, error);
  if (error) return std::string(not_onnx);
  in.clear();
  std::uint64_t position = 0;
  while (position < size) {
    in.seekg(static_cast<std::streamoff>(position));
    const auto tag = varint(in);
    if (!tag || wire_type_of(*tag >> 3U) != (*tag & 7U)) return std::string(not_onnx);
    const auto value = varint(in);
    if (!value) return "is cut short: it ends inside a field";
    position = static_cast<std::uint64_t>(in.tellg());
    if ((*tag & 7U) == 0) continue;
    if (*value > size - position) {
      return fmt::format("is cut short: at least {} bytes are missing at its end",
                         *value - (size - position));
    }
    position += *value;
  }
  return "is not an ONNX model, or is damaged";
}

}  // namespace ocs
