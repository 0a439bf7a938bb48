// The members of a zip archive, as much of the format as .npz files use: stored or deflated, with
// the 64-bit sizes of zip64 (PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3). The central directory
// at the end says what is inside.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "ocs/data/bytes.h"

namespace ocs {

struct ZipMember {
  std::string name{};
  bool is_deflated = false;
  std::uint32_t checksum = 0;  // CRC-32 of the unpacked bytes
  std::uint64_t packed_size = 0;
  std::uint64_t size = 0;
  std::uint64_t header_offset = 0;  // of the local header, in front of the packed bytes
};

// In the order of the directory. Throws Error(bad_input) for what is no zip archive, a directory
// that is cut off or does not fit, encryption, other methods of packing, and a name that is there
// twice.
[[nodiscard]] std::vector<ZipMember> read_zip_directory(const Bytes& archive);

// Unpacks a member in pieces of at most 256 KiB, in order. Throws Error(bad_input) where the packed
// bytes are damaged, and at the end where size or checksum do not fit; `take` has then had some
// pieces. Never gives more than member.size.
void unpack(const Bytes& archive, const ZipMember& member,
            const std::function<void(std::span<const std::uint8_t>)>& take);

// The first bytes, at most `count`; the checksum is not looked at.
[[nodiscard]] std::vector<std::uint8_t> unpack_start(const Bytes& archive, const ZipMember& member,
                                                     std::uint64_t count);

// The packed bytes, which of a stored member are the bytes themselves.
[[nodiscard]] Bytes packed_bytes(const Bytes& archive, const ZipMember& member);

}  // namespace ocs
