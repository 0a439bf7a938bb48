#include "cli/output_file.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "support/folder.h"

namespace ocs::cli {
namespace {

using testing::ThrowsMessage;

TEST(CheckOutput, TakesANewFileAndAnExistingOne) {
  const TestFolder folder;
  EXPECT_NO_THROW(check_output(folder.path() / "new.onnx", "-o"));
  std::ofstream(folder.path() / "old.onnx") << "x";
  EXPECT_NO_THROW(check_output(folder.path() / "old.onnx", "-o"));
  EXPECT_NO_THROW(check_output("/dev/null", "-o"));
}

TEST(CheckOutput, RefusesWhatCannotBeWritten) {
  const TestFolder folder;
  const std::string missing = (folder.path() / "sub").string();
  EXPECT_THAT([&] { check_output(missing + "/x.onnx", "-o"); },
              ThrowsMessage<Error>("-o " + missing + "/x.onnx: there is no folder " + missing));
  EXPECT_THAT([&] { check_output(folder.path(), "--report"); },
              ThrowsMessage<Error>("--report " + folder.path().string() + ": is a folder"));
  EXPECT_THAT([&] { check_output("", "-o"); }, ThrowsMessage<Error>("-o : is no name of a file"));
}

TEST(SameFile, SeesThroughLinks) {
  const TestFolder folder;
  std::ofstream(folder.path() / "a") << "x";
  std::filesystem::create_symlink("a", folder.path() / "b");
  EXPECT_TRUE(same_file(folder.path() / "a", folder.path() / "b"));
  EXPECT_FALSE(same_file(folder.path() / "a", folder.path() / "c"));
}

}  // namespace
}  // namespace ocs::cli
