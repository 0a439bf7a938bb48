#include "ocs/core/write_file.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;

class WriteFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("ocs_write_file_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::string content(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  static std::string message(const fs::path& file) {
    try {
      write_file(file, std::string_view("x"));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  fs::path folder_;
};

TEST_F(WriteFile, WritesEveryByteAndLeavesNothingElse) {
  std::string bytes(300'000, 'a');
  bytes[7] = '\0';
  write_file(folder_ / "out.bin", bytes);
  EXPECT_EQ(content(folder_ / "out.bin"), bytes);
  EXPECT_EQ(files(), 1U);
}

TEST_F(WriteFile, ReplacesAFileAndKeepsItsPermissions) {
  const fs::path file = folder_ / "out.bin";
  write_file(file, std::string_view("old and longer"));
  ::chmod(file.c_str(), 0640);
  write_file(file, std::string_view("new"));
  EXPECT_EQ(content(file), "new");
  EXPECT_EQ(fs::status(file).permissions(), fs::perms{0640});
}

TEST_F(WriteFile, WritesPiecesInOrder) {
  const std::string large(200'000, 'b');
  write_file(folder_ / "out.bin", [&](std::ostream& out) { out << "small" << large << 7; });
  EXPECT_EQ(content(folder_ / "out.bin"), "small" + large + "7");
}

TEST_F(WriteFile, KeepsTheOldFileWhenTheContentCannotBeMade) {
  const fs::path file = folder_ / "out.bin";
  write_file(file, std::string_view("old"));
  const auto fail = [](std::ostream& out) {
    out << std::string(200'000, 'x');
    throw_bad_input("no more");
  };
  EXPECT_THROW(write_file(file, fail), Error);
  EXPECT_EQ(content(file), "old");
  EXPECT_EQ(files(), 1U);
}

TEST_F(WriteFile, FollowsASymbolicLink) {
  write_file(folder_ / "target.bin", std::string_view("old"));
  fs::create_symlink(folder_ / "target.bin", folder_ / "link.bin");
  write_file(folder_ / "link.bin", std::string_view("new"));
  EXPECT_TRUE(fs::is_symlink(folder_ / "link.bin"));
  EXPECT_EQ(content(folder_ / "target.bin"), "new");
}

TEST_F(WriteFile, NamesThePathAndTheReason) {
  EXPECT_EQ(
      message(folder_ / "none" / "out.bin"),
      (folder_ / "none" / "out.bin").string() + ": cannot be written: No such file or directory");
  EXPECT_EQ(message(folder_), folder_.string() + ": cannot be written: Is a directory");
}

TEST_F(WriteFile, SaysThatTheDiskIsFull) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full on this system";
  EXPECT_EQ(message("/dev/full"), "/dev/full: cannot be written: No space left on device");
}

}  // namespace
}  // namespace ocs
