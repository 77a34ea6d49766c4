// Encoding a message once for all that listen.
#include "common/session/subscriptions.h"

#include "common/base/numbers.h"

namespace vedette {
namespace {

void append_bulk(std::string& to, std::string_view bytes) {
  char digits[20];
  to += '$';
  to.append(digits, print_unsigned(digits, bytes.size()));
  to += "\r\n";
  to += bytes;
  to += "\r\n";
}

void encode(const Message& message, std::string& text) {
  text.reserve(message.pattern.size() + message.channel.size() + message.payload.size() + 96);
  text += message.kind == MessageKind::kPattern ? "4\r\n" : "3\r\n";
  switch (message.kind) {
    case MessageKind::kChannel: append_bulk(text, "message"); break;
    case MessageKind::kShard: append_bulk(text, "smessage"); break;
    case MessageKind::kPattern:
      append_bulk(text, "pmessage");
      append_bulk(text, message.pattern);
      break;
  }
  append_bulk(text, message.channel);
  append_bulk(text, message.payload);
}

}  // namespace

const std::string& encoded(const Message& message) {
  if (message.encoded.empty()) encode(message, message.encoded);
  return message.encoded;
}

}  // namespace vedette
