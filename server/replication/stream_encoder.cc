// Writing commands into the stream, in place.
#include "server/replication/stream_encoder.h"

#include <array>
#include <cstring>

#include "common/base/assert.h"
#include "common/base/numbers.h"

namespace vedette {
namespace {

constexpr std::string_view kPing = "*1\r\n$4\r\nPING\r\n";
constexpr std::string_view kGetAck = "*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n";
constexpr std::string_view kMulti = "*1\r\n$5\r\nMULTI\r\n";
constexpr std::string_view kExec = "*1\r\n$4\r\nEXEC\r\n";

// "$12\r\n" in eight bytes: one load and one store, the length tells how many count.
struct Header {
  char text[7];
  uint8_t size;
};
constexpr size_t kHeaderBytesMax = 1 + 20 + 2;
constexpr size_t kHeadersKept = 1000;

consteval std::array<Header, kHeadersKept> make_headers(char kind) {
  std::array<Header, kHeadersKept> headers{};
  for (size_t n = 0; n < kHeadersKept; n++) {
    Header& header = headers[n];
    header.text[header.size++] = kind;
    if (n >= 100) header.text[header.size++] = char('0' + n / 100);
    if (n >= 10) header.text[header.size++] = char('0' + n / 10 % 10);
    header.text[header.size++] = char('0' + n % 10);
    header.text[header.size++] = '\r';
    header.text[header.size++] = '\n';
  }
  return headers;
}
constexpr std::array<Header, kHeadersKept> kBulkHeaders = make_headers('$'), kArrayHeaders = make_headers('*');

// Writes up to kHeaderBytesMax bytes; what lies beyond the end that is answered may be overwritten too.
char* put_header(char* to, const std::array<Header, kHeadersKept>& kept, size_t n) {
  if (n < kHeadersKept) {
    const Header& header = kept[n];
    std::memcpy(to, &header, sizeof header);
    return to + header.size;
  }
  *to++ = kept[0].text[0];
  to += print_unsigned(to, n);
  *to++ = '\r';
  *to++ = '\n';
  return to;
}

// Short texts, which most are, are copied in pieces of fixed size: a call costs more than their bytes.
char* put_text(char* to, std::string_view text) {
  const char* from = text.data();
  const size_t size = text.size();
  if (size >= 8 && size <= 32) {
    if (size <= 16) {
      uint64_t head, tail;
      std::memcpy(&head, from, 8);
      std::memcpy(&tail, from + size - 8, 8);
      std::memcpy(to, &head, 8);
      std::memcpy(to + size - 8, &tail, 8);
    } else {
      char head[16], tail[16];
      std::memcpy(head, from, 16);
      std::memcpy(tail, from + size - 16, 16);
      std::memcpy(to, head, 16);
      std::memcpy(to + size - 16, tail, 16);
    }
  } else if (size < 8) {
    for (size_t i = 0; i < size; i++) to[i] = from[i];
  } else {
    std::memcpy(to, from, size);
  }
  to[size] = '\r';
  to[size + 1] = '\n';
  return to + size + 2;
}

template <class Text>
char* put_command(char* to, std::span<const Text> argv) {
  to = put_header(to, kArrayHeaders, argv.size());
  for (const Text& arg : argv) {
    to = put_header(to, kBulkHeaders, arg.size());
    to = put_text(to, arg);
  }
  return to;
}

// An upper bound, with what put_header() may overwrite.
template <class Text>
size_t bytes_bound(std::span<const Text> argv) {
  size_t bytes = kHeaderBytesMax;
  for (const Text& arg : argv) bytes += kHeaderBytesMax + arg.size() + 2;
  return bytes;
}

}  // namespace

void StreamEncoder::put(std::string_view bytes) {
  if (keeps_first_) first_.append(bytes);
  else log_->append(bytes);
}

void StreamEncoder::encode_select(int db) {
  selected_ = db;
  char number[20];
  const std::string_view argv[] = {"SELECT", {number, print_integer(number, db)}};
  char text[64];
  log_->append({text, size_t(put_command(text, std::span<const std::string_view>(argv)) - text)});
}

template <class Text>
void StreamEncoder::encode(int db, std::span<const Text> argv) {
  VED_ASSERT(!argv.empty());
  if (in_transaction_ && ++transaction_commands_ == 2 && keeps_first_) open_transaction();
  if (db != selected_ && db >= 0) encode_select(db);
  if (opens_at_first_) {
    log_->append(kMulti);
    opens_at_first_ = false;
    is_open_ = true;
  }
  const size_t bound = bytes_bound(argv);
  if (bound > kInPlaceBytesMax || keeps_first_) return encode_big(argv);
  char* const room = log_->reserve(bound);
  log_->commit(size_t(put_command(room, argv) - room));
}

template <class Text>
void StreamEncoder::encode_big(std::span<const Text> argv) {
  char header[kHeaderBytesMax];
  put({header, size_t(put_header(header, kArrayHeaders, argv.size()) - header)});
  for (const Text& arg : argv) {
    put({header, size_t(put_header(header, kBulkHeaders, arg.size()) - header)});
    put(arg);
    put("\r\n");
  }
}

template void StreamEncoder::encode(int, std::span<const std::string_view>);
template void StreamEncoder::encode(int, std::span<const std::string>);

void StreamEncoder::begin_transaction() {
  VED_ASSERT(!in_transaction_);
  in_transaction_ = keeps_first_ = true;
  transaction_commands_ = 0;
}

void StreamEncoder::begin_transaction(size_t commands) {
  VED_ASSERT(!in_transaction_);
  in_transaction_ = true;
  transaction_commands_ = 0;
  opens_at_first_ = commands > 1;
}

// The second command has come: what was kept of the first goes into the log, behind a MULTI.
void StreamEncoder::open_transaction() {
  log_->append(kMulti);
  log_->append(first_);
  first_.clear();
  keeps_first_ = false;
  is_open_ = true;
}

void StreamEncoder::end_transaction() {
  VED_ASSERT(in_transaction_);
  VED_ASSERT(is_open_ || transaction_commands_ <= 1);
  if (is_open_) log_->append(kExec);
  log_->append(first_);
  first_.clear();
  in_transaction_ = is_open_ = opens_at_first_ = keeps_first_ = false;
  // A big command is not kept at its size for the sake of the next one.
  if (first_.capacity() > kInPlaceBytesMax * 16) first_.shrink_to_fit();
}

void StreamEncoder::ping() {
  VED_ASSERT(!in_transaction_);
  log_->append(kPing);
}

void StreamEncoder::getack() {
  VED_ASSERT(!in_transaction_);
  log_->append(kGetAck);
}

}  // namespace vedette
