#include "ocs/graph/tensor_proto.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "support/folder.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using Proto = onnx::TensorProto;

Proto proto_of(std::int32_t type, const std::vector<std::int64_t>& shape) {
  Proto proto;
  proto.set_name("w");
  proto.set_data_type(type);
  proto.mutable_dims()->Assign(shape.begin(), shape.end());
  return proto;
}

template <typename Work>
std::string message_of(Work&& work, Error::Kind kind = Error::Kind::bad_input) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  return "no error";
}

Proto external(const std::vector<std::int64_t>& shape,
               const std::vector<std::pair<std::string, std::string>>& entries) {
  Proto proto = proto_of(Proto::FLOAT, shape);
  proto.set_data_location(Proto::EXTERNAL);
  for (const auto& [key, value] : entries) {
    auto* entry = proto.add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  }
  return proto;
}

void write_floats(const fs::path& file, const std::vector<float>& values) {
  std::ofstream stream(file, std::ios::binary);
  stream.write(reinterpret_cast<const char*>(values.data()),
               static_cast<std::streamsize>(values.size() * sizeof(float)));
}

TEST(TensorProto, GoesToProtoAndBackForEveryType) {
  const std::vector<Tensor> tensors{
      {.shape = {2, 2}, .values = std::vector<float>{1.5F, -2.0F, 0.0F, 3e38F}},
      {.shape = {1}, .values = std::vector<double>{-1e300}},
      {.shape = {2},
       .values = std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::min(), 7}},
      {.shape = {}, .values = std::vector<std::int32_t>{-5}},
      {.shape = {2}, .values = std::vector<std::int16_t>{-32768, 32767}},
      {.shape = {3}, .values = std::vector<std::int8_t>{-128, 0, 127}},
      {.shape = {1}, .values = std::vector<std::uint16_t>{65535}},
      {.shape = {2}, .values = std::vector<std::uint8_t>{0, 255}},
      {.shape = {2}, .values = std::vector<Boolean>{Boolean::yes, Boolean::no}},
      {.shape = {0, 3}, .values = std::vector<float>{}},
  };
  for (const Tensor& tensor : tensors)
    EXPECT_EQ(to_tensor(to_proto(tensor, "w")), tensor) << name_of(tensor.type());
}

TEST(TensorProto, ReadsTypedFields) {
  Proto floats = proto_of(Proto::FLOAT, {2});
  floats.add_float_data(1.0F);
  floats.add_float_data(2.0F);
  EXPECT_THAT(to_tensor(floats).as<float>(), ElementsAre(1.0F, 2.0F));
  Proto bytes = proto_of(Proto::INT8, {2});
  bytes.add_int32_data(-128);
  bytes.add_int32_data(127);
  EXPECT_THAT(to_tensor(bytes).as<std::int8_t>(), ElementsAre(-128, 127));
  Proto indices = proto_of(Proto::INT64, {});
  indices.add_int64_data(-1);
  EXPECT_THAT(to_tensor(indices).as<std::int64_t>(), ElementsAre(-1));
  Proto doubles = proto_of(Proto::DOUBLE, {1});
  doubles.add_double_data(0.1);
  EXPECT_THAT(to_tensor(doubles).as<double>(), ElementsAre(0.1));
  Proto flags = proto_of(Proto::BOOL, {2});
  flags.add_int32_data(1);
  flags.add_int32_data(0);
  EXPECT_THAT(to_tensor(flags).as<Boolean>(), ElementsAre(Boolean::yes, Boolean::no));
}

TEST(TensorProto, RefusesTypedValuesThatDoNotFitTheType) {
  Proto bytes = proto_of(Proto::INT8, {1});
  bytes.add_int32_data(128);
  EXPECT_EQ(message_of([&] { (void)to_tensor(bytes); }),
            "tensor 'w': it holds 128, which is no int8");
}

// Every bit pattern of a half, against ldexp on its fields.
TEST(TensorProto, WidensEveryFloat16) {
  Proto proto = proto_of(Proto::FLOAT16, {65536});
  for (std::int32_t bits = 0; bits < 65536; ++bits) proto.add_int32_data(bits);
  const Tensor tensor = to_tensor(proto);
  const auto values = tensor.as<float>();
  for (std::int32_t bits = 0; bits < 65536; ++bits) {
    const std::int32_t exponent = (bits >> 10) & 31;
    const std::int32_t fraction = bits & 1023;
    const float sign = (bits & 0x8000) != 0 ? -1.0F : 1.0F;
    const float value = values[static_cast<std::size_t>(bits)];
    if (exponent == 31) {
      EXPECT_EQ(std::isnan(value), fraction != 0);
      EXPECT_EQ(std::isinf(value), fraction == 0);
    } else {
      const auto significand = static_cast<float>(exponent == 0 ? fraction : fraction + 1024);
      EXPECT_EQ(value, sign * std::ldexp(significand, std::max(exponent, 1) - 25)) << bits;
    }
    EXPECT_EQ(std::signbit(value), sign < 0.0F);
  }
}

TEST(TensorProto, WidensBfloat16FromRawData) {
  Proto proto = proto_of(Proto::BFLOAT16, {2});
  proto.set_raw_data(std::string("\x80\x3f\x00\xc0", 4));
  EXPECT_THAT(to_tensor(proto).as<float>(), ElementsAre(1.0F, -2.0F));
}

TEST(TensorProto, NamesTheTensorWhoseSizesDisagree) {
  Proto proto = proto_of(Proto::FLOAT, {3});
  proto.set_raw_data(std::string(8, '\0'));
  EXPECT_EQ(message_of([&] { (void)to_tensor(proto); }),
            "tensor 'w': it holds 8 bytes where its type and shape ask for 3 values of 4 bytes");
  proto.clear_raw_data();
  proto.add_float_data(1.0F);
  EXPECT_EQ(message_of([&] { (void)to_tensor(proto); }),
            "tensor 'w': it holds 1 values where its shape asks for 3");
}

TEST(TensorProto, RefusesHugeAndNegativeExtentsWithoutAllocating) {
  EXPECT_THAT(message_of([] {
                (void)to_tensor(proto_of(Proto::FLOAT, {1LL << 40, 1LL << 40}));
              }),
              HasSubstr("is too large"));
  EXPECT_THAT(message_of([] { (void)to_tensor(proto_of(Proto::FLOAT, {1LL << 60})); }),
              HasSubstr("holds 0 values"));
  EXPECT_THAT(message_of([] { (void)to_tensor(proto_of(Proto::FLOAT, {-1})); }),
              HasSubstr("tensor 'w': shape [?]"));
  EXPECT_THAT(message_of([] { (void)element_count(proto_of(Proto::FLOAT, {-1})); }),
              HasSubstr("tensor 'w': shape [?]"));
}

TEST(TensorProto, CallsTypesThatItCannotHoldUnsupported) {
  for (const std::int32_t type : {std::int32_t{Proto::STRING}, std::int32_t{Proto::COMPLEX64},
                                  std::int32_t{Proto::UINT64}, 17, 21, 22})
    EXPECT_THAT(message_of([&] { (void)to_tensor(proto_of(type, {2})); }, Error::Kind::unsupported),
                HasSubstr("tensor 'w'"));
}

TEST(FloatsIn, AreChangedWhereTheyAre) {
  Proto raw = to_proto({.shape = {3}, .values = std::vector<float>{1, 2, 3}}, "w");
  const void* const place = raw.raw_data().data();
  EXPECT_EQ(static_cast<const void*>(floats_in(raw).data()), place);
  Proto typed = proto_of(Proto::FLOAT, {3});
  for (const float value : {1.0F, 2.0F, 3.0F}) typed.add_float_data(value);
  Proto half = proto_of(Proto::FLOAT16, {3});
  half.set_raw_data(std::string("\x00\x3C\x00\x40\x00\x42", 6));
  const TestFolder folder;
  write_floats(folder / "weights.bin", {1, 2, 3});
  Proto outside = external({3}, {{"location", "weights.bin"}});
  for (Proto* proto : {&raw, &typed, &half, &outside}) {
    for (float& value : floats_in(*proto, folder.path())) value *= -2.0F;
    EXPECT_EQ(to_tensor(*proto), (Tensor{.shape = {3}, .values = std::vector<float>{-2, -4, -6}}));
    EXPECT_EQ(proto->name(), "w");
  }
}

TEST(FloatsIn, RefusesOtherTypesAndSizesThatDisagree) {
  Proto integers = to_proto({.shape = {1}, .values = std::vector<std::int64_t>{1}}, "w");
  EXPECT_THAT(message_of([&] { (void)floats_in(integers); }), HasSubstr("int64"));
  Proto raw = to_proto({.shape = {3}, .values = std::vector<float>{1, 2, 3}}, "w");
  raw.set_dims(0, 4);
  EXPECT_THAT(message_of([&] { (void)floats_in(raw); }), HasSubstr("tensor 'w': it holds 12"));
}

TEST(CheckSize, ComparesWhatIsHeldWithTheShape) {
  Proto packed = proto_of(22, {3});  // int4: three of them take two bytes
  packed.set_raw_data("ab");
  check_size(packed);
  packed.set_raw_data("abc");
  EXPECT_EQ(message_of([&] { check_size(packed); }),
            "tensor 'w': it holds 3 bytes where its type and shape ask for 2");
  Proto words = proto_of(Proto::STRING, {2});
  words.add_string_data("one");
  EXPECT_EQ(message_of([&] { check_size(words); }),
            "tensor 'w': it holds 1 values where its shape asks for 2");
  EXPECT_THAT(message_of([] { check_size(proto_of(Proto::INT8, {2})); }),
              HasSubstr("it holds 0 values"));
  check_size(proto_of(Proto::FLOAT, {0}));
  check_size(external({1 << 20}, {{"location", "elsewhere.bin"}}));
}

TEST(ExternalData, IsReadAtItsOffset) {
  const TestFolder folder;
  write_floats(folder.path() / "weights.bin", {1, 2, 3, 4});
  const Proto proto =
      external({2}, {{"location", "weights.bin"}, {"offset", "4"}, {"length", "8"}});
  EXPECT_THAT(to_tensor(proto, folder.path()).as<float>(), ElementsAre(2.0F, 3.0F));
  Proto loaded = proto;
  load_external_data(loaded, folder.path());
  EXPECT_FALSE(loaded.has_data_location());
  EXPECT_EQ(loaded.external_data_size(), 0);
  EXPECT_THAT(to_tensor(loaded).as<float>(), ElementsAre(2.0F, 3.0F));
}

TEST(ExternalData, NeedsNeitherOffsetNorLength) {
  const TestFolder folder;
  write_floats(folder.path() / "weights.bin", {1, 2, 3});
  EXPECT_THAT(to_tensor(external({2}, {{"location", "weights.bin"}}), folder.path()).as<float>(),
              ElementsAre(1.0F, 2.0F));
}

TEST(ExternalData, OfHalfWidthIsWidenedWhenItIsRead) {
  const TestFolder folder;
  const std::vector<std::uint16_t> halves{0x3C00, 0xC000};  // 1, -2
  std::ofstream(folder.path() / "weights.bin", std::ios::binary)
      .write(reinterpret_cast<const char*>(halves.data()), 4);
  Proto proto = external({2}, {{"location", "weights.bin"}});
  proto.set_data_type(Proto::FLOAT16);
  widen_external(proto);
  EXPECT_EQ(proto.data_type(), Proto::FLOAT);
  EXPECT_TRUE(is_widened_external(proto));
  EXPECT_EQ(external_size(proto, folder.path()), 4U);
  EXPECT_THAT(to_tensor(proto, folder.path()).as<float>(), ElementsAre(1.0F, -2.0F));
  load_external_data(proto, folder.path());
  EXPECT_FALSE(is_widened_external(proto));
  EXPECT_EQ(proto.name(), "w");
  EXPECT_THAT(to_tensor(proto).as<float>(), ElementsAre(1.0F, -2.0F));

  Proto brain = external({2}, {{"location", "weights.bin"}});
  brain.set_data_type(Proto::BFLOAT16);
  widen_external(brain);
  EXPECT_THAT(to_tensor(brain, folder.path()).as<float>(), ElementsAre(0.0078125F, -2.0F));
}

TEST(ExternalData, IsSeenInBlocks) {
  const TestFolder folder;
  std::vector<float> values((std::size_t{1} << 21U) + 3);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  write_floats(folder.path() / "weights.bin", values);
  const Proto proto = external({static_cast<std::int64_t>(values.size()) - 1},
                               {{"location", "weights.bin"}, {"offset", "4"}});
  std::vector<std::size_t> sizes;
  std::vector<float> seen;
  for_each_external_block(proto, folder.path(), [&](std::span<const std::byte> block) {
    sizes.push_back(block.size());
    const std::size_t before = seen.size();
    seen.resize(before + block.size() / sizeof(float));
    std::memcpy(seen.data() + before, block.data(), block.size());
  });
  EXPECT_THAT(sizes, ElementsAre(std::size_t{1} << 22U, std::size_t{1} << 22U, 8U));
  EXPECT_TRUE(std::ranges::equal(seen, std::span(values).subspan(1)));
}

TEST(ExternalData, OfFourBitTensorsIsLoadedToo) {
  const TestFolder folder;
  std::ofstream(folder.path() / "weights.bin") << "abcd";
  Proto proto = external({3}, {{"location", "weights.bin"}});
  proto.set_data_type(22);  // int4: three of them take two bytes
  load_external_data(proto, folder.path());
  EXPECT_EQ(proto.raw_data(), "ab");
}

TEST(ExternalData, MustNotLeaveTheFolderOfTheModel) {
  const TestFolder folder;
  for (const std::string location : {"../weights.bin", "/etc/passwd", "sub/../../weights.bin"}) {
    const Proto proto = external({1}, {{"location", location}});
    EXPECT_EQ(
        message_of([&] { (void)to_tensor(proto, folder.path()); }),
        "tensor 'w': external data: location '" + location + "' leaves the folder of the model");
  }
}

TEST(ExternalData, SaysWhatIsMissing) {
  const TestFolder folder;
  write_floats(folder.path() / "weights.bin", {1, 2});
  const auto message = [&](const std::vector<std::pair<std::string, std::string>>& entries) {
    return message_of([&] { (void)to_tensor(external({2}, entries), folder.path()); });
  };
  EXPECT_THAT(message({{"location", "none.bin"}}),
              HasSubstr("none.bin' is not a file that can be read"));
  EXPECT_THAT(message({{"location", "."}}), HasSubstr("is not a file that can be read"));
  EXPECT_THAT(message({}), HasSubstr("no location is given"));
  EXPECT_THAT(message({{"location", "weights.bin"}, {"offset", "4"}}),
              HasSubstr("has 8 bytes, too few for 8 at offset 4"));
  EXPECT_THAT(message({{"location", "weights.bin"}, {"offset", "18446744073709551615"}}),
              HasSubstr("too few"));
  EXPECT_THAT(message({{"location", "weights.bin"}, {"offset", "-1"}}),
              HasSubstr("offset '-1' is not a number of bytes"));
  EXPECT_THAT(message({{"location", "weights.bin"}, {"length", "4"}}),
              HasSubstr("length 4 where its type and shape ask for 8 bytes"));
}

TEST(PackedProto, PutsSeveralIntegersIntoAByteLowerOnesFirst) {
  const Tensor integers{.shape = {5}, .values = std::vector<std::int8_t>{1, -1, 7, -8, 3}};
  const onnx::TensorProto four = to_packed_proto(integers, 4);
  EXPECT_EQ(four.data_type(), 22);
  EXPECT_EQ(four.raw_data(), std::string("\xF1\x87\x03"));
  EXPECT_NO_THROW(check_size(four));
  const Tensor small{.shape = {5}, .values = std::vector<std::int8_t>{1, -1, 0, -2, 1}};
  const onnx::TensorProto two = to_packed_proto(small, 2);
  EXPECT_EQ(two.data_type(), 26);
  EXPECT_EQ(two.raw_data(), std::string("\x8D\x01"));
  EXPECT_NO_THROW(check_size(two));
  EXPECT_EQ(to_packed_proto(integers, 8).data_type(), onnx::TensorProto::INT8);
}

TEST(PackedProto, RefusesWhatDoesNotFit) {
  const Tensor integers{.shape = {1}, .values = std::vector<std::int8_t>{8}};
  EXPECT_THROW((void)to_packed_proto(integers, 4), Error);
  EXPECT_THROW((void)to_packed_proto(integers, 3), Error);
}

}  // namespace
}  // namespace ocs
