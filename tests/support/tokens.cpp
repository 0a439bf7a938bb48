#include "support/tokens.h"

#include <algorithm>
#include <cctype>

#include "ocs/core/error.h"

namespace ocs {
namespace {

bool in_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("_./+-").find(c) != std::string_view::npos;
}

}  // namespace

std::vector<Token> tokens_of(std::string_view text) {
  std::vector<Token> tokens;
  std::size_t i = 0;
  while (i < text.size()) {
    const char c = text[i];
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++i;
    } else if (c == '#') {
      i = std::min(text.find('\n', i), text.size());
    } else if (c == '"') {
      const std::size_t close = text.find('"', i + 1);
      if (close == std::string_view::npos) throw_bad_input("text model: a quote is not closed");
      tokens.push_back(
          {.kind = Token::Kind::text, .text = std::string(text.substr(i + 1, close - i - 1))});
      i = close + 1;
    } else if (in_word(c)) {
      std::size_t end = i;
      while (end < text.size() && in_word(text[end])) ++end;
      tokens.push_back({.kind = Token::Kind::word, .text = std::string(text.substr(i, end - i))});
      i = end;
    } else if (std::string_view("[]{}(),;:=?*").find(c) != std::string_view::npos) {
      tokens.push_back({.kind = Token::Kind::sign, .text = std::string(1, c)});
      ++i;
    } else {
      throw_bad_input("text model: unexpected character '" + std::string(1, c) + "'");
    }
  }
  tokens.push_back({.kind = Token::Kind::end, .text = "the end"});
  return tokens;
}

const Token& TokenReader::peek(std::size_t ahead) const {
  return tokens_[std::min(next_ + ahead, tokens_.size() - 1)];
}

Token TokenReader::take() {
  Token token = peek();
  next_ = std::min(next_ + 1, tokens_.size() - 1);
  return token;
}

bool TokenReader::take_if(std::string_view sign) {
  if (!next_is(sign)) return false;
  take();
  return true;
}

void TokenReader::expect(std::string_view sign) {
  if (!take_if(sign)) fail("'" + std::string(sign) + "'");
}

std::string TokenReader::name() {
  if (peek().kind != Token::Kind::word && peek().kind != Token::Kind::text) fail("a name");
  return take().text;
}

void TokenReader::fail(const std::string& wanted) const {
  std::string rest;
  for (std::size_t i = next_; i < std::min(next_ + 6, tokens_.size()); ++i)
    rest += " " + tokens_[i].text;
  throw_bad_input("text model: expected " + wanted + " at:" + rest);
}

}  // namespace ocs
