#include "ocs/core/sha256.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/core/write_file.h"
#include "support/folder.h"

namespace ocs {
namespace {

// Examples of the standard (FIPS 180-4) and of NIST's validation suite.
TEST(Sha256, MeetsThePublishedExamples) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, DoesNotDependOnHowTheBytesArrive) {
  std::string bytes;
  for (int i = 0; i < 200; ++i) bytes.push_back(static_cast<char>(i));
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    Sha256 hash;
    for (std::size_t i = 0; i < size; ++i) hash.add(std::string_view(bytes).substr(i, 1));
    ASSERT_EQ(hash.finish(), sha256(std::string_view(bytes).substr(0, size))) << size;
  }
}

TEST(Sha256OfFile, ReadsTheWholeFile) {
  const TestFolder folder;
  const std::filesystem::path file = folder / "x.bin";
  const std::string bytes((std::size_t{1} << 20U) + 17, 'x');
  write_file(file, bytes);
  EXPECT_EQ(sha256_of_file(file), sha256(bytes));
}

TEST(Sha256OfFile, NamesAFileThatCannotBeRead) {
  EXPECT_THAT([] { (void)sha256_of_file("/nowhere/x"); },
              testing::ThrowsMessage<Error>("/nowhere/x: cannot be read"));
  EXPECT_THAT([] { (void)sha256_of_file("/"); },
              testing::ThrowsMessage<Error>("/: cannot be read"));
}

}  // namespace
}  // namespace ocs
