#include "ocs/data/zip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/files.h"
#include "ocs/core/error.h"

namespace ocs {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

Raw unpacked(const Bytes& archive, const ZipMember& member) {
  Raw bytes;
  unpack(archive, member, [&](std::span<const std::uint8_t> part) {
    bytes.insert(bytes.end(), part.begin(), part.end());
  });
  return bytes;
}

// About 0.6 MB that packs to a tenth: several pieces going in and coming out.
Raw long_bytes() {
  Raw bytes;
  std::uint32_t state = 1;
  while (bytes.size() < 600'000) {
    state = state * 1664525U + 1013904223U;
    bytes.insert(bytes.end(), 8, static_cast<std::uint8_t>(state >> 24U));
  }
  return bytes;
}

TEST(Zip, GivesBackStoredAndDeflatedMembers) {
  for (const bool is_zip64 : {false, true}) {
    const std::vector<Packed> members{{.name = "a.npy", .bytes = raw_of("stored")},
                                      {.name = "b.npy", .bytes = long_bytes(), .is_deflated = true},
                                      {.name = "empty", .bytes = {}, .is_deflated = true},
                                      {.name = "c", .bytes = long_bytes()}};
    const Bytes archive = bytes_of_memory(zip(members, is_zip64));
    const std::vector<ZipMember> directory = read_zip_directory(archive);
    ASSERT_EQ(directory.size(), members.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
      EXPECT_EQ(directory[i].name, members[i].name);
      EXPECT_EQ(directory[i].is_deflated, members[i].is_deflated);
      EXPECT_TRUE(unpacked(archive, directory[i]) == members[i].bytes) << members[i].name;
    }
    EXPECT_EQ(read_all(packed_bytes(archive, directory[0])), raw_of("stored"));
  }
}

TEST(UnpackStart, StopsEarly) {
  const Raw bytes = long_bytes();
  const Bytes archive = bytes_of_memory(zip({{.name = "a", .bytes = bytes, .is_deflated = true}}));
  EXPECT_EQ(unpack_start(archive, read_zip_directory(archive)[0], 10),
            Raw(bytes.begin(), bytes.begin() + 10));
}

TEST(ReadZipDirectory, FindsTheEndBehindAComment) {
  Raw file = zip({{.name = "a", .bytes = raw_of("x")}});
  file[file.size() - 2] = 5;
  const Raw comment = raw_of("hello");
  file.insert(file.end(), comment.begin(), comment.end());
  EXPECT_EQ(read_zip_directory(bytes_of_memory(file)).size(), 1U);
}

auto listing(const Raw& file) {
  return [file] { (void)read_zip_directory(bytes_of_memory(file)); };
}

TEST(ReadZipDirectory, NamesWhatItCannotTake) {
  EXPECT_THAT(listing(raw_of("PK")), ThrowsMessage<Error>("not a zip archive: 2 bytes"));
  EXPECT_THAT(listing(Raw(100)), ThrowsMessage<Error>("not a zip archive, or its end is cut off"));
  EXPECT_THAT(listing(zip({{.name = "a"}, {.name = "a"}})),
              ThrowsMessage<Error>("damaged zip archive: member 'a' is there twice"));
  Raw file = zip({{.name = "a", .bytes = raw_of("x")}});
  const std::size_t entry = 30 + 1 + 1;  // behind the local header, the name and the byte
  Raw encrypted = file;
  encrypted[entry + 8] = 1;
  EXPECT_THAT(listing(encrypted), ThrowsMessage<Error>("member 'a' is encrypted"));
  Raw other = file;
  other[entry + 10] = 12;
  EXPECT_THAT(
      listing(other),
      ThrowsMessage<Error>("member 'a' is packed by method 12; stored and deflated are known"));
}

TEST(Unpack, NoticesDamage) {
  Raw file = zip({{.name = "a", .bytes = raw_of("some bytes")}});
  file[35] ^= 1U;
  const Bytes archive = bytes_of_memory(file);
  EXPECT_THAT([&] { (void)unpacked(archive, read_zip_directory(archive)[0]); },
              ThrowsMessage<Error>("member 'a': damaged: the checksum does not fit"));

  Raw packed = zip({{.name = "a", .bytes = long_bytes(), .is_deflated = true}});
  packed[2000] ^= 0x55U;
  const Bytes damaged = bytes_of_memory(packed);
  EXPECT_THAT([&] { (void)unpacked(damaged, read_zip_directory(damaged)[0]); },
              ThrowsMessage<Error>(HasSubstr("member 'a': ")));
}

TEST(Unpack, GivesNoMoreThanTheDirectorySays) {
  const Bytes archive =
      bytes_of_memory(zip({{.name = "a", .bytes = long_bytes(), .is_deflated = true}}));
  ZipMember member = read_zip_directory(archive)[0];
  member.size = 1000;
  EXPECT_THAT([&] { (void)unpacked(archive, member); },
              ThrowsMessage<Error>("member 'a': unpacks to more than its 1000 bytes"));
  member.size = 2'000'000;
  EXPECT_THAT([&] { (void)unpacked(archive, member); },
              ThrowsMessage<Error>("member 'a': unpacks to 600000 bytes, not 2000000"));
  member.packed_size = 500;
  EXPECT_THAT([&] { (void)unpacked(archive, member); },
              ThrowsMessage<Error>("member 'a': the packed bytes are cut off"));
}

TEST(ReadZipDirectory, RefusesEveryFileThatIsCutOff) {
  for (const bool is_zip64 : {false, true}) {
    const Raw whole = zip({{.name = "a", .bytes = raw_of("xyz"), .is_deflated = true}}, is_zip64);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_THROW(listing(Raw(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)))(),
                   Error)
          << size;
    }
  }
}

TEST(ReadZipDirectory, SurvivesEveryChangedByte) {
  for (const bool is_zip64 : {false, true}) {
    const Raw whole = zip({{.name = "a", .bytes = raw_of("xyz"), .is_deflated = true}}, is_zip64);
    for (std::size_t at = 0; at < whole.size(); ++at) {
      Raw changed = whole;
      changed[at] ^= 0xFFU;
      const Bytes archive = bytes_of_memory(changed);
      try {
        for (const ZipMember& member : read_zip_directory(archive)) (void)unpacked(archive, member);
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), Error::Kind::bad_input);
      }
    }
  }
}

}  // namespace
}  // namespace ocs
