// Zip archives: each member unpacks to the size that the directory says, or Error(bad_input).
#include "ocs/data/zip.h"

#include <cstdint>
#include <cstdlib>

#include "ocs/core/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ocs;
  try {
    const Bytes archive = bytes_of_memory({data, data + size});
    for (const ZipMember& member : read_zip_directory(archive)) {
      if (member.size > (1U << 20U)) continue;
      std::uint64_t unpacked = 0;
      if (unpack_start(archive, member, 100).size() > 100) std::abort();
      unpack(archive, member, [&](std::span<const std::uint8_t> part) { unpacked += part.size(); });
      if (unpacked != member.size) std::abort();
    }
  } catch (const Error& error) {
    if (error.kind() != Error::Kind::bad_input) std::abort();
  }
  return 0;
}
