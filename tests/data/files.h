// Files for the tests of data: a folder that goes away, and writers of the formats.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "ocs/data/bytes.h"

namespace ocs {

using Raw = std::vector<std::uint8_t>;

class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "ocs-test-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  TempFolder(TempFolder&&) = delete;
  TempFolder& operator=(TempFolder&&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
    return path_ / name;
  }

  std::filesystem::path write(const std::string& name, const Raw& bytes) const {
    return write(name, std::string(bytes.begin(), bytes.end()));
  }
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    const std::filesystem::path file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream stream(file, std::ios::binary);
    stream << text;
    EXPECT_TRUE(stream.good()) << file;
    return file;
  }

 private:
  std::filesystem::path path_;
};

inline Raw raw_of(const std::string& text) { return {text.begin(), text.end()}; }

// The bytes of numbers, lowest first.
template <typename T>
Raw raw_of(const std::vector<T>& values) {
  Raw bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

inline Raw read_raw(const std::filesystem::path& file) { return read_all(bytes_of_file(file)); }

// A .npy file. `shape` as Python writes it: "(2, 3)", "(4,)", "()".
Raw npy(const std::string& descr, const std::string& shape, const Raw& data,
        bool is_fortran_order = false, int version = 1);

// {first, first + 1, ...} as float32.
Raw npy_floats(const std::string& shape, std::size_t count, float first = 0);

struct Packed {
  std::string name{};
  Raw bytes{};
  bool is_deflated = false;
};
// A zip archive; `is_zip64` writes sizes and offsets the 64-bit way.
Raw zip(const std::vector<Packed>& members, bool is_zip64 = false);

// A binary PPM: pixel i of channel c is (first + 3 * i + c) % 256.
std::string ppm(int width, int height, int first = 0);

// One picture of the folder of test images.
std::filesystem::path test_image(const std::string& name);

}  // namespace ocs
