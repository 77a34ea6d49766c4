// Eight fields between commas.
#include "sentinel/core/hello.h"

#include <array>
#include <charconv>

namespace vedette::sentinel {
namespace {

// Beyond this no election can have counted: it is an error or an attack, and would leave no room to go on counting.
template <class Number>
bool parse_whole(std::string_view text, Number& value) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size() && !text.empty();
}

bool is_run_id(std::string_view text) { return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == text.npos; }

}  // namespace

std::optional<Hello> parse_hello(std::string_view payload) {
  std::array<std::string_view, 8> fields;
  for (size_t i = 0; i < fields.size(); i++) {
    const size_t comma = payload.find(',');
    if ((comma == payload.npos) != (i + 1 == fields.size())) return std::nullopt;
    fields[i] = payload.substr(0, comma);
    payload.remove_prefix(comma == payload.npos ? payload.size() : comma + 1);
  }
  Hello hello;
  hello.sentinel.host = fields[0];
  hello.run_id = fields[2];
  hello.primary_name = fields[4];
  hello.primary.host = fields[5];
  const bool numbers = parse_whole(fields[1], hello.sentinel.port) && parse_whole(fields[3], hello.current_epoch) &&
                       parse_whole(fields[6], hello.primary.port) && parse_whole(fields[7], hello.config_epoch);
  const auto is_port = [](int port) { return port > 0 && port < 65536; };
  if (!numbers || !is_port(hello.sentinel.port) || !is_port(hello.primary.port)) return std::nullopt;
  if (!is_run_id(hello.run_id) || !is_host(hello.sentinel.host) || !is_host(hello.primary.host)) return std::nullopt;
  if (hello.current_epoch > kEpochMax || hello.config_epoch > kEpochMax) return std::nullopt;
  return hello;
}

std::string to_text(const Hello& hello) {
  return hello.sentinel.host + "," + std::to_string(hello.sentinel.port) + "," + hello.run_id + "," + std::to_string(hello.current_epoch) +
         "," + hello.primary_name + "," + hello.primary.host + "," + std::to_string(hello.primary.port) + "," +
         std::to_string(hello.config_epoch);
}

}  // namespace vedette::sentinel
