// The tokens of Lua 5.1, and what is made of them.
#include "server/scripting/lua_source.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <map>
#include <string_view>
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
    while (at < text.size() && tokens_.size() < kTokensMax) at = next(at);
    whole_ = at >= text.size();
  }

  bool whole() const { return whole_; }

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

  // Of a line's end two characters may be one.
  size_t size_of_escaped(size_t at) const {
    const char c = char_at(at), after = char_at(at + 1);
    return (c == '\r' && after == '\n') || (c == '\n' && after == '\r') ? 2 : 1;
  }

  size_t end_of_quoted(size_t at) const {
    const char quote = text_[at++];
    while (at < text_.size() && text_[at] != quote && text_[at] != '\n') at += text_[at] == '\\' ? 1 + size_of_escaped(at + 1) : 1;
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

  static constexpr size_t kTokensMax = 1 << 20;  // no script has so many, and whoever sends them only wants the memory
  std::string_view text_;
  std::vector<Token> tokens_;
  bool whole_ = true;
};

// Library functions that have one result, by the global that they are called by; of a library: all, but those
// behind '-'.
struct Library {
  std::string_view name, functions;
};
// clang-format off
constexpr Library kLibraries[] = {
    {"redis", "call pcall sha1hex error_reply status_reply acl_check_cmd replicate_commands breakpoint"},
    {"server", "call pcall sha1hex error_reply status_reply acl_check_cmd replicate_commands breakpoint"},
    {"cjson",
     "encode decode encode_max_depth decode_max_depth encode_number_precision encode_keep_buffer encode_invalid_numbers "
     "decode_invalid_numbers new"},
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
    if (!tokens_.whole()) {
      out_.error = "1: chunk is too large";
      return;
    }
    if (has_bad_number()) return;
    note_escapes();
    note_uses();
    note_ends();
    for (size_t i = 0; i < tokens_.size(); i++) {
      if (!tokens_.is(i, "return")) continue;
      last_return_ = tokens_[i].begin;
      if (const size_t open = open_of_call(i + 1)) look_at_call(i, open);
    }
    out_.last_return = line_of(last_return_);
    if (escapes_ > 0) out_.plain = edited(true);
    if (escapes_ < edits_.size()) out_.changed = edited(false);
    else out_.changed = out_.plain;
  }

 private:
  struct Edit {
    size_t at;
    char sign;  // is put there; kDropped: the character there is left out
  };
  static constexpr char kDropped = '\0';

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

  void note_escapes() {
    constexpr std::string_view kKnown = "abfnrtv\\\"'0123456789\n\r";
    for (size_t i = 0; i < tokens_.size(); i++) {
      const std::string_view word = tokens_.word(i);
      if (tokens_[i].kind != Token::kString || word[0] == '[') continue;
      for (size_t at = word.find('\\'); at < word.size() - 1; at = word.find('\\', at + 2)) {
        if (kKnown.find(word[at + 1]) != std::string_view::npos) continue;
        edits_.push_back({tokens_[i].begin + at, kDropped});
        escapes_++;
      }
    }
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

  // What a name is used for throughout the script.
  struct Use {
    bool only_library = true;  // nowhere anything but `name.`
    bool only_called = true;   // nowhere anything but `name(`
    bool only_alias = true;    // nowhere anything but `name(` and one `local name = redis.call`
    bool defined = false;
  };

  void note_uses() {
    for (size_t i = 0; i < tokens_.size(); i++) {
      if (!tokens_.is_name(i) || (i > 0 && (tokens_.is(i - 1, ".") || tokens_.is(i - 1, ":")))) continue;  // a field of that name
      Use& use = uses_[tokens_.word(i)];
      const bool function = i > 0 && tokens_.is(i - 1, "function"), local = i > 0 && tokens_.is(i - 1, "local");
      const bool called = tokens_.is(i + 1, "(");
      use.only_library &= tokens_.is(i + 1, ".") && !function && !local;
      use.only_called &= called && !function && !local;
      if (called && !function) continue;
      use.only_alias &= local && is_definition_of_alias(i) && !use.defined;
      use.defined = true;
    }
  }

  bool is_definition_of_alias(size_t i) const {
    return tokens_.is(i + 1, "=") && tokens_.is(i + 2, "redis") && tokens_.is(i + 3, ".") &&
           (tokens_.is(i + 4, "call") || tokens_.is(i + 4, "pcall")) && !tokens_.is(i + 5, "(");
  }

  bool is_only_called(std::string_view name, bool library) const {
    const Use& use = uses_.at(name);
    return library ? use.only_library : use.only_called;
  }

  bool is_alias(std::string_view name) const {
    const Use& use = uses_.at(name);
    return use.only_alias && use.defined && is_only_called("redis", true);
  }

  // Where what each bracket opens is closed, or 0.
  void note_ends() {
    ends_.resize(tokens_.size());
    std::vector<uint32_t> open;
    for (size_t i = 0; i < tokens_.size(); i++) {
      if (tokens_[i].kind != Token::kSign) continue;
      const char sign = text_[tokens_[i].begin];
      if (sign == '(' || sign == '{' || sign == '[') open.push_back(uint32_t(i));
      if ((sign != ')' && sign != '}' && sign != ']') || open.empty()) continue;
      ends_[open.back()] = uint32_t(i);
      open.pop_back();
    }
  }

  void look_at_call(size_t i, size_t open) {
    const size_t close = ends_[open];
    if (close == 0) return;
    const size_t next = close + 1;
    const bool last = next == tokens_.size() || tokens_.is(next, ";") || tokens_.is(next, "end") || tokens_.is(next, "else") ||
                      tokens_.is(next, "elseif") || tokens_.is(next, "until");
    if (!last) return;
    edits_.push_back({tokens_[i + 1].begin, '('});
    edits_.push_back({tokens_[close].end, ')'});
  }

  std::string edited(bool escapes_only) {
    std::stable_sort(edits_.begin(), edits_.end(), [](const Edit& a, const Edit& b) { return a.at < b.at; });
    std::string text;
    size_t at = 0;
    for (const Edit& edit : edits_) {
      if (escapes_only && edit.sign != kDropped) continue;
      text.append(text_, at, edit.at - at);
      at = edit.at;
      if (edit.sign == kDropped) at++;
      else text += edit.sign;
    }
    text.append(text_, at);
    return text;
  }

  std::string_view text_;
  Tokens tokens_;
  LuaSource& out_;
  size_t last_return_ = 0;
  std::map<std::string_view, Use> uses_;
  std::vector<uint32_t> ends_;
  std::vector<Edit> edits_;
  size_t escapes_ = 0;  // of them, those that drop something
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
    const std::string_view plain = source.plain.empty() ? text : source.plain;
    const int outcome = load_as_it_is(state, source.changed.empty() ? plain : source.changed, name);
    if (outcome != LUA_ERRSYNTAX || source.changed.empty() || source.changed == plain) return outcome;
    lua_pop(state, 1);
    return load_as_it_is(state, plain, name);  // for what is wrong with the script's own words
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
