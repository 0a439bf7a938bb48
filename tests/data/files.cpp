#include "data/files.h"

#include <fmt/format.h>
#include <zlib.h>

namespace ocs {
namespace {

// The lowest `size` bytes, the least significant one first; bytes beyond those of `value` are 0.
void append(Raw& to, std::uint64_t value, int size) {
  for (int i = 0; i < size; ++i, value >>= 8) to.push_back(static_cast<std::uint8_t>(value));
}

void append(Raw& to, const Raw& bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

Raw deflated(const Raw& bytes) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
  Raw source = bytes;
  Raw packed(deflateBound(&stream, source.size()) + 16);
  stream.next_in = source.data();
  stream.avail_in = static_cast<uInt>(source.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

}  // namespace

Raw npy(const std::string& descr, const std::string& shape, const Raw& data, bool is_fortran_order,
        int version) {
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}", descr,
                                   is_fortran_order ? "True" : "False", shape);
  const std::size_t fixed = version == 1 ? 10 : 12;
  while ((fixed + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  Raw file{0x93, 'N', 'U', 'M', 'P', 'Y', static_cast<std::uint8_t>(version), 0};
  append(file, header.size(), version == 1 ? 2 : 4);
  append(file, raw_of(header));
  append(file, data);
  return file;
}

Raw npy_floats(const std::string& shape, std::size_t count, float first) {
  std::vector<float> values;
  for (std::size_t i = 0; i < count; ++i) values.push_back(first + static_cast<float>(i));
  return npy("<f4", shape, raw_of(values));
}

Raw zip(const std::vector<Packed>& members, bool is_zip64) {
  Raw file;
  Raw directory;
  const std::uint64_t all_ones = 0xFFFFFFFF;
  for (const Packed& member : members) {
    const Raw packed = member.is_deflated ? deflated(member.bytes) : member.bytes;
    const std::uint64_t offset = file.size();
    const auto checksum = crc32(0, member.bytes.data(), static_cast<uInt>(member.bytes.size()));
    const auto common = [&](Raw& to) {
      append(to, 0, 2);  // flags
      append(to, member.is_deflated ? 8 : 0, 2);
      append(to, 0, 4);  // date and time
      append(to, checksum, 4);
      append(to, is_zip64 ? all_ones : packed.size(), 4);
      append(to, is_zip64 ? all_ones : member.bytes.size(), 4);
      append(to, member.name.size(), 2);
    };
    append(file, 0x04034b50, 4);
    append(file, 45, 2);
    common(file);
    append(file, is_zip64 ? 20 : 0, 2);
    append(file, raw_of(member.name));
    if (is_zip64) {
      append(file, 1, 2);
      append(file, 16, 2);
      append(file, member.bytes.size(), 8);
      append(file, packed.size(), 8);
    }
    append(file, packed);

    append(directory, 0x02014b50, 4);
    append(directory, 45, 2);
    append(directory, 45, 2);
    common(directory);
    append(directory, is_zip64 ? 28 : 0, 2);
    append(directory, 0, 2 + 2 + 2 + 4);
    append(directory, is_zip64 ? all_ones : offset, 4);
    append(directory, raw_of(member.name));
    if (!is_zip64) continue;
    append(directory, 1, 2);
    append(directory, 24, 2);
    append(directory, member.bytes.size(), 8);
    append(directory, packed.size(), 8);
    append(directory, offset, 8);
  }
  const std::uint64_t start = file.size();
  append(file, directory);
  const std::uint64_t end64 = file.size();
  if (is_zip64) {
    append(file, 0x06064b50, 4);
    append(file, 44, 8);
    append(file, 45, 2);
    append(file, 45, 2);
    append(file, 0, 4 + 4);
    append(file, members.size(), 8);
    append(file, members.size(), 8);
    append(file, directory.size(), 8);
    append(file, start, 8);
    append(file, 0x07064b50, 4);
    append(file, 0, 4);
    append(file, end64, 8);
    append(file, 1, 4);
  }
  append(file, 0x06054b50, 4);
  append(file, 0, 4);
  append(file, is_zip64 ? 0xFFFF : members.size(), 2);
  append(file, is_zip64 ? 0xFFFF : members.size(), 2);
  append(file, is_zip64 ? all_ones : directory.size(), 4);
  append(file, is_zip64 ? all_ones : start, 4);
  append(file, 0, 2);
  return file;
}

std::string ppm(int width, int height, int first) {
  std::string file = fmt::format("P6\n{} {}\n255\n", width, height);
  for (int i = 0; i < width * height * 3; ++i) file += static_cast<char>((first + i) % 256);
  return file;
}

std::filesystem::path test_image(const std::string& name) {
  return std::filesystem::path(OCS_SOURCE_DIR) / "tests/data/images" / name;
}

}  // namespace ocs
