#include "ocs/data/zip.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <zlib.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

constexpr std::uint64_t piece = 256U * 1024U;

// Little-endian numbers from a buffer whose size has been checked by the reader of it.
class Fields {
 public:
  explicit Fields(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  std::uint64_t number(std::size_t size) {
    need(size);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value |= std::uint64_t{bytes_[at_ + i]} << (8 * i);
    at_ += size;
    return value;
  }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }

  std::span<const std::uint8_t> take(std::size_t size) {
    need(size);
    const auto part = bytes_.subspan(at_, size);
    at_ += size;
    return part;
  }

  void skip(std::size_t size) { (void)take(size); }
  [[nodiscard]] std::size_t left() const { return bytes_.size() - at_; }

 private:
  void need(std::size_t size) const {
    if (size > left()) throw_bad_input("damaged zip archive: the directory is cut off");
  }

  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

struct Directory {
  std::uint64_t entries = 0;
  std::uint64_t size = 0;
  std::uint64_t offset = 0;
};

constexpr std::uint32_t end_mark = 0x06054b50;
constexpr std::uint32_t end64_mark = 0x06064b50;
constexpr std::uint32_t locator64_mark = 0x07064b50;
constexpr std::uint32_t entry_mark = 0x02014b50;
constexpr std::uint32_t local_mark = 0x04034b50;
constexpr std::uint64_t end_size = 22;
constexpr std::uint64_t locator64_size = 20;
constexpr std::uint64_t end64_size = 56;
constexpr std::uint64_t local_size = 30;

// The zip64 end record, where a locator in front of the plain end record points to one
// (4.3.14, 4.3.15).
std::optional<Directory> find_directory64(const Bytes& archive, std::uint64_t end_offset) {
  if (end_offset < locator64_size) return std::nullopt;
  const auto raw = read_part(archive, end_offset - locator64_size, locator64_size);
  Fields locator(raw);
  if (locator.u32() != locator64_mark) return std::nullopt;
  locator.skip(4);
  const auto raw64 = read_part(archive, locator.u64(), end64_size);
  Fields end(raw64);
  if (end.u32() != end64_mark)
    throw_bad_input("damaged zip archive: no zip64 end record where one should be");
  end.skip(8 + 2 + 2 + 4 + 4 + 8);
  Directory directory;
  directory.entries = end.u64();
  directory.size = end.u64();
  directory.offset = end.u64();
  return directory;
}

Directory find_directory(const Bytes& archive) {
  if (archive.size < end_size)
    throw_bad_input(fmt::format("not a zip archive: {} bytes", archive.size));
  // A comment of up to 65535 bytes may follow the end record.
  const std::uint64_t tail = std::min<std::uint64_t>(archive.size, end_size + 65535);
  const auto raw = read_part(archive, archive.size - tail, tail);
  for (std::uint64_t at = tail - end_size + 1; at-- > 0;) {
    Fields end(std::span<const std::uint8_t>(raw).subspan(at));
    if (end.u32() != end_mark) continue;
    end.skip(2 + 2 + 2);
    Directory directory;
    directory.entries = end.u16();
    directory.size = end.u32();
    directory.offset = end.u32();
    return find_directory64(archive, archive.size - tail + at).value_or(directory);
  }
  throw_bad_input("not a zip archive, or its end is cut off");
}

// A field of all ones in the entry stands for a 64-bit number in the extra field, in this order
// (4.5.3).
void read_zip64_extra(std::span<const std::uint8_t> extra, ZipMember& member) {
  constexpr std::uint64_t placeholder = std::numeric_limits<std::uint32_t>::max();
  Fields fields(extra);
  while (fields.left() >= 4) {
    const std::uint16_t id = fields.u16();
    Fields body(fields.take(fields.u16()));
    if (id != 1) continue;
    if (member.size == placeholder) member.size = body.u64();
    if (member.packed_size == placeholder) member.packed_size = body.u64();
    if (member.header_offset == placeholder) member.header_offset = body.u64();
  }
}

ZipMember read_entry(Fields& fields) {
  if (fields.u32() != entry_mark)
    throw_bad_input("damaged zip archive: an entry of the directory does not fit");
  fields.skip(4);
  const unsigned flags = fields.u16();
  const unsigned method = fields.u16();
  fields.skip(4);
  ZipMember member;
  member.checksum = fields.u32();
  member.packed_size = fields.u32();
  member.size = fields.u32();
  const std::size_t name_length = fields.u16();
  const std::size_t extra_length = fields.u16();
  const std::size_t comment_length = fields.u16();
  fields.skip(8);
  member.header_offset = fields.u32();
  const auto name = fields.take(name_length);
  member.name.assign(name.begin(), name.end());
  read_zip64_extra(fields.take(extra_length), member);
  fields.skip(comment_length);
  if ((flags & 1U) != 0) throw_bad_input("member '" + member.name + "' is encrypted");
  if (method != 0 && method != 8) {
    throw_bad_input(fmt::format("member '{}' is packed by method {}; stored and deflated are known",
                                member.name, method));
  }
  member.is_deflated = method == 8;
  if (!member.is_deflated && member.size != member.packed_size) {
    throw_bad_input("damaged zip archive: member '" + member.name + "' has two sizes");
  }
  return member;
}

// Ends zlib's state.
struct Inflater {
  z_stream stream{};
  Inflater() {
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
      throw_internal("zlib did not start");  // negative: no zlib header
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  Inflater(Inflater&&) = delete;
  Inflater& operator=(Inflater&&) = delete;
};

// Gives pieces to `take` until it returns false or the packed bytes end.
void stored_pieces(const Bytes& packed,
                   const std::function<bool(std::span<const std::uint8_t>)>& take) {
  std::vector<std::uint8_t> buffer(std::min(packed.size, piece));
  for (std::uint64_t at = 0; at < packed.size;) {
    const auto part = std::span(buffer).first(std::min(piece, packed.size - at));
    packed.read(at, part);
    if (!take(part)) return;
    at += part.size();
  }
}

void inflated_pieces(const Bytes& packed,
                     const std::function<bool(std::span<const std::uint8_t>)>& take) {
  Inflater inflater;
  z_stream& stream = inflater.stream;
  std::vector<std::uint8_t> in(std::min(packed.size, piece));
  std::vector<std::uint8_t> out(piece);
  std::uint64_t at = 0;
  int state = Z_OK;
  while (state != Z_STREAM_END) {
    if (stream.avail_in == 0 && at < packed.size) {
      const auto part = std::span(in).first(std::min(piece, packed.size - at));
      packed.read(at, part);
      at += part.size();
      stream.next_in = part.data();
      stream.avail_in = static_cast<uInt>(part.size());
    }
    stream.next_out = out.data();
    stream.avail_out = static_cast<uInt>(out.size());
    state = inflate(&stream, Z_NO_FLUSH);
    const auto made = std::span<const std::uint8_t>(out).first(out.size() - stream.avail_out);
    // Z_BUF_ERROR with nothing made: the packed bytes have ended in the middle.
    if ((state != Z_OK && state != Z_STREAM_END) ||
        (made.empty() && state == Z_OK && at >= packed.size && stream.avail_in == 0)) {
      throw_bad_input(stream.msg != nullptr ? std::string("damaged: ") + stream.msg
                                            : "the packed bytes are cut off");
    }
    if (!made.empty() && !take(made)) return;
  }
}

void pieces(const Bytes& archive, const ZipMember& member,
            const std::function<bool(std::span<const std::uint8_t>)>& take) {
  while_doing("member '" + member.name + "'", [&] {
    const Bytes packed = packed_bytes(archive, member);
    if (member.is_deflated) {
      inflated_pieces(packed, take);
    } else {
      stored_pieces(packed, take);
    }
  });
}

}  // namespace

std::vector<ZipMember> read_zip_directory(const Bytes& archive) {
  const Directory directory = find_directory(archive);
  const auto raw = read_part(archive, directory.offset, directory.size);
  Fields fields(raw);
  std::vector<ZipMember> members;
  std::set<std::string> names;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    members.push_back(read_entry(fields));
    if (!names.insert(members.back().name).second) {
      throw_bad_input("damaged zip archive: member '" + members.back().name + "' is there twice");
    }
  }
  return members;
}

Bytes packed_bytes(const Bytes& archive, const ZipMember& member) {
  const auto raw = read_part(archive, member.header_offset, local_size);
  Fields fields(raw);
  if (fields.u32() != local_mark) throw_bad_input("damaged zip archive: no local header");
  fields.skip(22);
  const std::uint64_t name_length = fields.u16();
  const std::uint64_t extra_length = fields.u16();
  return part_of(archive, member.header_offset + local_size + name_length + extra_length,
                 member.packed_size);
}

void unpack(const Bytes& archive, const ZipMember& member,
            const std::function<void(std::span<const std::uint8_t>)>& take) {
  std::uint64_t size = 0;
  uLong checksum = crc32(0, nullptr, 0);
  pieces(archive, member, [&](std::span<const std::uint8_t> part) {
    size += part.size();
    if (size > member.size)
      throw_bad_input(fmt::format("unpacks to more than its {} bytes", member.size));
    checksum = crc32(checksum, part.data(), static_cast<uInt>(part.size()));
    take(part);
    return true;
  });
  while_doing("member '" + member.name + "'", [&] {
    if (size != member.size)
      throw_bad_input(fmt::format("unpacks to {} bytes, not {}", size, member.size));
    if (checksum != member.checksum) throw_bad_input("damaged: the checksum does not fit");
  });
}

std::vector<std::uint8_t> unpack_start(const Bytes& archive, const ZipMember& member,
                                       std::uint64_t count) {
  std::vector<std::uint8_t> start;
  pieces(archive, member, [&](std::span<const std::uint8_t> part) {
    const std::uint64_t wanted = std::min<std::uint64_t>(part.size(), count - start.size());
    start.insert(start.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(wanted));
    return start.size() < count;
  });
  return start;
}

}  // namespace ocs
