#include "ocs/data/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/files.h"
#include "ocs/core/error.h"

namespace ocs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

class Text : public testing::Test {
 protected:
  [[nodiscard]] Vocabulary vocabulary(const std::string& text) const {
    return read_vocabulary(folder_.write("vocab.txt", text));
  }
  [[nodiscard]] TokenText read(const std::string& text, const std::string& tokens,
                               std::size_t limit = 0) const {
    return read_text(folder_.write("text.txt", text), vocabulary(tokens), limit);
  }
  auto reading(const std::string& text, const std::string& tokens) const {
    return [this, text, tokens] { (void)read(text, tokens); };
  }

  TempFolder folder_;
};

TEST_F(Text, GivesEveryLineItsEndAndEachTokenTheNumberOfItsLine) {
  EXPECT_THAT(read(" a  b\n\n\tb a\r\n", "<eos>\na\nb\n").ids, ElementsAre(1, 2, 0, 0, 2, 1, 0));
  EXPECT_THAT(read("a", "a\n<eos>").ids, ElementsAre(0, 1)) << "without a last line feed";
}

TEST_F(Text, StopsAtTheLimit) {
  EXPECT_THAT(read("a b\nb\n", "<eos>\na\nb\n", 1).ids, ElementsAre(1));
  EXPECT_THAT(read("a b\nb\n", "<eos>\na\nb\n", 2).ids, ElementsAre(1, 2));
  EXPECT_THAT(read("a b\nb\n", "<eos>\na\nb\n", 3).ids, ElementsAre(1, 2, 0));
  EXPECT_THAT(read("a b\nb\n", "<eos>\na\nb\n", 100).ids, ElementsAre(1, 2, 0, 2, 0));
}

TEST_F(Text, ReadsUnknownTokensAsUnkWhereThereIsOne) {
  const TokenText text = read("a what <unk>\n", "<eos>\n<unk>\na\n");
  EXPECT_THAT(text.ids, ElementsAre(2, 1, 1, 0));
  EXPECT_EQ(text.unknown, 1U);
  EXPECT_THAT(reading("a\nb what\n", "<eos>\na\nb\n"),
              ThrowsMessage<Error>(HasSubstr("text.txt, line 2: 'what' is not in the vocabulary")));
}

TEST_F(Text, NamesWhatIsWrongWithAVocabulary) {
  const auto message = [&](const std::string& tokens) {
    try {
      (void)vocabulary(tokens);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(message(""), HasSubstr("vocab.txt: the vocabulary is empty"));
  EXPECT_THAT(message("<eos>\n\na\n"),
              HasSubstr("line 2: 0 tokens; a vocabulary has one token a line"));
  EXPECT_THAT(message("<eos>\na 17\n"), HasSubstr("line 2: 2 tokens"));
  EXPECT_THAT(message("a\n<eos>\na\n"), HasSubstr("line 3: 'a' is in line 1 already"));
  EXPECT_THAT(message("a\nb\n"), HasSubstr("the vocabulary lacks '<eos>'"));
}

TEST_F(Text, RefusesWhatIsNoText) {
  EXPECT_THAT(reading("", "<eos>\n"),
              ThrowsMessage<Error>(HasSubstr("text.txt: the text is empty")));
  EXPECT_THAT(reading(std::string("a\nb\0", 4), "<eos>\na\nb\n"),
              ThrowsMessage<Error>(HasSubstr("text.txt, line 2: holds a zero byte")));
  EXPECT_THAT([&] { (void)read_text(folder_ / "no.txt", vocabulary("<eos>\n"), 0); },
              ThrowsMessage<Error>(HasSubstr("no.txt: no such file")));
  EXPECT_THAT([&] { (void)read_vocabulary(folder_.path()); },
              ThrowsMessage<Error>(HasSubstr("cannot be read")));
}

}  // namespace
}  // namespace ocs
