// The forms of replies that RESP2 and RESP3 write differently.
#include "common/resp/reply_writer.h"

#include <cmath>
#include <string>

namespace vedette {

void ReplyWriter::line(char kind, std::string_view text) {
  count_value();
  char* to = out_->reserve(text.size() + 3);
  to[0] = kind;
  if (!text.empty()) std::memcpy(to + 1, text.data(), text.size());
  std::memcpy(to + 1 + text.size(), "\r\n", 2);
  out_->commit(text.size() + 3);
}

void ReplyWriter::error(std::string_view text) {
  if (text.find_first_of("\r\n") == std::string_view::npos) return line('-', text);
  std::string flat(text);
  for (char& c : flat)
    if (c == '\r' || c == '\n') c = ' ';
  line('-', flat);
}

void ReplyWriter::bulk_in_pieces(std::string_view bytes) {
  number_line('$', int64_t(bytes.size()));
  out_->append(bytes);
  out_->append("\r\n");
}

void ReplyWriter::real(double value) {
  const std::string text = to_text(value);
  if (resp3()) line(',', text);
  else bulk(text);
}

void ReplyWriter::big_number(std::string_view digits) {
  if (resp3()) line('(', digits);
  else bulk(digits);
}

void ReplyWriter::verbatim(std::string_view format, std::string_view text) {
  VED_ASSERT(format.size() == 3);
  if (!resp3()) return bulk(text);
  count_value();
  number_line('=', int64_t(text.size() + 4));
  out_->append(format);
  out_->append(":");
  out_->append(text);
  out_->append("\r\n");
}

void ReplyWriter::finish(Deferred start, char kind, size_t count, size_t elements) {
  owed_ += int64_t(elements);
  char header[24];
  header[0] = kind;
  const size_t digits = print_unsigned(header + 1, count);
  std::memcpy(header + 1 + digits, "\r\n", 2);
  out_->insert(start.mark, {header, digits + 3});
}

}  // namespace vedette
