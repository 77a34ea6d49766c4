// The tokens of Lua 5.1, and what is made of them.
#include "server/scripting/lua_source.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <vector>

namespace vedette {
namespace {

struct Token {
  enum Kind : uint8_t { kName, kNumber, kString, kSign } kind;
  uint32_t begin, end;
};

bool is_name_start(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)); }

class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) {
    size_t at = 0;
    while (at < text.size()) at = next(at);
  }

  size_t size() const { return tokens_.size(); }
  const Token& operator[](size_t i) const { return tokens_[i]; }
  std::string_view word(size_t i) const {
    return i < tokens_.size() ? text_.substr(tokens_[i].begin, tokens_[i].end - tokens_[i].begin) : std::string_view();
  }
  bool is(size_t i, std::string_view sign) const { return word(i) == sign && tokens_[i].kind != Token::kString; }
  bool is_name(size_t i) const { return i < tokens_.size() && tokens_[i].kind == Token::kName; }

 private:
  char char_at(size_t at) const { return at < text_.size() ? text_[at] : '\0'; }

  void add(Token::Kind kind, size_t begin, size_t end) { tokens_.push_back(Token{kind, uint32_t(begin), uint32_t(end)}); }

  // The end of [[...]] or [==[...]==] at `at`, or `at` if there is none.
  size_t end_of_long(size_t at) const {
    size_t level = at + 1;
    while (char_at(level) == '=') level++;
    if (char_at(level) != '[') return at;
    const std::string close = "]" + std::string(level - at - 1, '=') + "]";
    const size_t end = text_.find(close, level);
    return end == std::string_view::npos ? text_.size() : end + close.size();
  }

  size_t end_of_quoted(size_t at) const {
    const char quote = text_[at++];
    while (at < text_.size() && text_[at] != quote && text_[at] != '\n') at += text_[at] == '\\' ? 2 : 1;
    return std::min(at + 1, text_.size());
  }

  size_t end_of_number(size_t at) const {
    while (at < text_.size() &&
           (vedette::is_name(text_[at]) || text_[at] == '.' || ((text_[at] == '+' || text_[at] == '-') && (text_[at - 1] | 0x20) == 'e')))
      at++;
    return at;
  }

  size_t next(size_t at) {
    const char c = text_[at];
    if (std::isspace(static_cast<unsigned char>(c))) return at + 1;
    if (c == '-' && char_at(at + 1) == '-') {
      const size_t end = char_at(at + 2) == '[' ? end_of_long(at + 2) : at + 2;
      return end > at + 2 ? end : std::min(text_.find('\n', at), text_.size());
    }
    size_t end = at + 1;
    Token::Kind kind = Token::kSign;
    if (is_name_start(c)) {
      while (vedette::is_name(char_at(end))) end++;
      kind = Token::kName;
    } else if (is_digit(c) || (c == '.' && is_digit(char_at(at + 1)))) {
      end = end_of_number(at);
      kind = Token::kNumber;
    } else if (c == '"' || c == '\'') {
      end = end_of_quoted(at);
      kind = Token::kString;
    } else if (c == '[' && end_of_long(at) > at) {
      end = end_of_long(at);
      kind = Token::kString;
    } else if (c == '.') {
      while (char_at(end) == '.' && end < at + 3) end++;
    }
    add(kind, at, end);
    return end;
  }

  std::string_view text_;
  std::vector<Token> tokens_;
};

// Library functions that have one result, by the global that they are called by; of a library: all, but those behind '-'.
struct Library {
  std::string_view name, functions;
};
// clang-format off
constexpr Library kLibraries[] = {
    {"redis", "call pcall sha1hex error_reply status_reply acl_check_cmd"},
    {"server", "call pcall sha1hex error_reply status_reply acl_check_cmd"},
    {"cjson", "encode decode"},
    {"cmsgpack", "pack"},
    {"struct", "pack size"},
    {"bit", "arshift band bnot bor bswap bxor lshift rol ror rshift tobit tohex"},
    {"string", "char format len lower rep reverse sub upper"},
    {"table", "concat getn maxn"},
    {"math", "abs acos asin atan atan2 ceil cos cosh deg exp floor fmod ldexp log log10 max min mod pow rad random sin sinh sqrt tan tanh"},
};
// clang-format on
constexpr std::string_view kBase = "error getmetatable loadstring rawequal rawget setmetatable tonumber tostring type";

bool has_word(std::string_view words, std::string_view word) {
  for (size_t at = words.find(word); at != std::string_view::npos; at = words.find(word, at + 1)) {
    const bool begins = at == 0 || words[at - 1] == ' ';
    const size_t end = at + word.size();
    if (begins && (end == words.size() || words[end] == ' ')) return true;
  }
  return false;
}

const Library* library_of(std::string_view name) {
  const auto* found = std::find_if(std::begin(kLibraries), std::end(kLibraries),
                                   [&](const Library& library) { return library.name == name; });
  return found == std::end(kLibraries) ? nullptr : found;
}

class Rewriter {
 public:
  Rewriter(std::string_view text, LuaSource& out) : text_(text), tokens_(text), out_(out) {}

  void run() {
    if (has_bad_number()) return;
    for (size_t i = 0; i < tokens_.size(); i++) {
      if (!tokens_.is(i, "return")) continue;
      last_return_ = tokens_[i].begin;
      if (const size_t open = open_of_call(i + 1)) look_at_call(i, open);
    }
    out_.last_return = line_of(last_return_);
    if (!insertions_.empty()) apply();
  }

 private:
  struct Insertion {
    size_t at;
    char sign;
  };

  int line_of(size_t at) const { return 1 + int(std::count(text_.begin(), text_.begin() + long(at), '\n')); }

  bool has_bad_number() {
    for (size_t i = 0; i < tokens_.size(); i++) {
      if (tokens_[i].kind != Token::kNumber) continue;
      const std::string_view word = tokens_.word(i);
      const char last = word.back(), second = word.size() > 1 ? char(word[1] | 0x20) : '\0';
      const bool hexadecimal = word[0] == '0' && second == 'x';
      const bool binary = word[0] == '0' && second == 'b';
      const bool suffixed = last == 'l' || last == 'L' || last == 'i' || last == 'I' || ((last == 'u' || last == 'U') && !hexadecimal);
      if (!binary && !suffixed) continue;
      out_.error = std::to_string(line_of(tokens_[i].begin)) + ": malformed number near '" + std::string(word) + "'";
      return true;
    }
    return false;
  }

  // The '(' of a call of a library's function that begins at token `i`, or 0.
  size_t open_of_call(size_t i) {
    if (!tokens_.is_name(i)) return 0;
    const std::string_view name = tokens_.word(i);
    if (const Library* library = library_of(name)) {
      const bool call = tokens_.is(i + 1, ".") && tokens_.is_name(i + 2) && tokens_.is(i + 3, "(");
      return call && has_word(library->functions, tokens_.word(i + 2)) && is_only_called(name, true) ? i + 3 : 0;
    }
    if (!tokens_.is(i + 1, "(")) return 0;
    return (has_word(kBase, name) && is_only_called(name, false)) || is_alias(name) ? i + 1 : 0;
  }

  // Whether the name is nowhere anything but the library (`name.`), or the function (`name(`).
  bool is_only_called(std::string_view name, bool library) const {
    for (size_t i = 0; i < tokens_.size(); i++) {
      if (!tokens_.is_name(i) || tokens_.word(i) != name) continue;
      if (i > 0 && (tokens_.is(i - 1, ".") || tokens_.is(i - 1, ":"))) continue;  // a field of that name
      if (!tokens_.is(i + 1, library ? "." : "(")) return false;
      if (i > 0 && (tokens_.is(i - 1, "function") || tokens_.is(i - 1, "local"))) return false;
    }
    return true;
  }

  // `local name = redis.call`, and nothing else but calls of it.
  bool is_alias(std::string_view name) const {
    bool defined = false;
    for (size_t i = 0; i < tokens_.size(); i++) {
      if (!tokens_.is_name(i) || tokens_.word(i) != name || (i > 0 && (tokens_.is(i - 1, ".") || tokens_.is(i - 1, ":")))) continue;
      if (tokens_.is(i + 1, "(") && !(i > 0 && tokens_.is(i - 1, "function"))) continue;
      const bool definition = i > 0 && tokens_.is(i - 1, "local") && tokens_.is(i + 1, "=") && tokens_.is(i + 2, "redis") &&
                              tokens_.is(i + 3, ".") && (tokens_.is(i + 4, "call") || tokens_.is(i + 4, "pcall")) &&
                              !tokens_.is(i + 5, "(");
      if (!definition || defined) return false;
      defined = true;
    }
    return defined && is_only_called("redis", true);
  }

  void look_at_call(size_t i, size_t open) {
    int depth = 0;
    for (size_t close = open; close < tokens_.size(); close++) {
      if (tokens_[close].kind != Token::kSign) continue;
      const char sign = text_[tokens_[close].begin];
      depth += (sign == '(' || sign == '{' || sign == '[') - (sign == ')' || sign == '}' || sign == ']');
      if (depth > 0) continue;
      const size_t next = close + 1;
      const bool last = next == tokens_.size() || tokens_.is(next, ";") || tokens_.is(next, "end") || tokens_.is(next, "else") ||
                        tokens_.is(next, "elseif") || tokens_.is(next, "until");
      if (last) {
        insertions_.push_back({tokens_[i + 1].begin, '('});
        insertions_.push_back({tokens_[close].end, ')'});
      }
      return;
    }
  }

  void apply() {
    std::stable_sort(insertions_.begin(), insertions_.end(), [](const Insertion& a, const Insertion& b) { return a.at < b.at; });
    size_t at = 0;
    for (const Insertion& insertion : insertions_) {
      out_.changed.append(text_, at, insertion.at - at);
      out_.changed += insertion.sign;
      at = insertion.at;
    }
    out_.changed.append(text_, at);
  }

  std::string_view text_;
  Tokens tokens_;
  LuaSource& out_;
  size_t last_return_ = 0;
  std::vector<Insertion> insertions_;
};

struct Reading {
  std::string_view left;
};

const char* read_once(lua_State*, void* context, size_t* size) {
  auto& left = static_cast<Reading*>(context)->left;
  *size = left.size();
  const char* data = left.empty() ? nullptr : left.data();
  left = {};
  return data;
}

int load_as_it_is(lua_State* state, std::string_view text, const char* name) {
  Reading reading{text};
  return lua_loadx(state, read_once, &reading, name, "t");
}

}  // namespace

LuaSource prepare_source(std::string_view text) {
  LuaSource out;
  // The interpreter would pass over such a line.
  if (text.starts_with('#')) out.error = "1: unexpected symbol near '#'";
  else if (text.size() < UINT32_MAX) Rewriter(text, out).run();
  return out;
}

int load_source(lua_State* state, std::string_view text, const char* name, int* last_return) {
  const LuaSource source = prepare_source(text);
  if (last_return) *last_return = source.last_return;
  if (source.error.empty()) {
    const int outcome = load_as_it_is(state, source.changed.empty() ? text : source.changed, name);
    if (outcome != LUA_ERRSYNTAX || source.changed.empty()) return outcome;
    lua_pop(state, 1);
    return load_as_it_is(state, text, name);  // for what is wrong with the script's own words
  }
  // The chunk's name, as the interpreter would show it, comes from an error of its own.
  const std::string bad = std::string(size_t(std::stoi(source.error)) - 1, '\n') + "=";
  const int outcome = load_as_it_is(state, bad, name);
  const std::string_view shown = lua_tostring(state, -1);
  const size_t line = shown.find(": ");
  const std::string place(shown.substr(0, shown.substr(0, line).rfind(':') + 1));
  lua_pushfstring(state, "%s%s", place.c_str(), source.error.c_str());
  lua_remove(state, -2);
  return outcome;
}

}  // namespace vedette
