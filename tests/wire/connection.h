// Two ways to talk to a server: Connection through hiredis (RESP2 as existing clients speak it), and
// RawConnection, bytes in and bytes out, for what a well-behaved client library would never send.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct redisContext;
struct redisReply;

namespace vedette::wire {

using Arguments = std::vector<std::string>;

/// A connection through hiredis. Replies come as one line of text that shows type and content:
/// `+OK`, `-ERR text`, `:1`, `$text`, `nil`, `[$a, :2, nil]`. `closed` when the server has hung up.
class Connection {
 public:
  explicit Connection(int port);
  explicit Connection(const std::string& unix_path);
  ~Connection();
  Connection(Connection&&) noexcept;

  /// Sends one command and waits for its reply.
  std::string call(const Arguments& arguments);
  /// Splits `line` at spaces and calls that.
  std::string operator()(std::string_view line);

  /// Adds one command to the pipeline; nothing is sent before the next receive().
  void append(const Arguments& arguments);
  /// The next reply, or the next pushed message.
  std::string receive();

 private:
  struct Free {
    void operator()(redisContext* context) const;
  };
  std::unique_ptr<redisContext, Free> context_;
};

/// A plain TCP connection over loopback. All waits end at the common deadline and then fail the test.
class RawConnection {
 public:
  explicit RawConnection(int port, const std::string& host = "127.0.0.1");
  ~RawConnection();
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  /// Sends all of `bytes`; false when the server has hung up before it took them.
  bool send(std::string_view bytes);
  /// Sends what the socket takes without waiting; the count of bytes taken, 0 when its buffer is full.
  size_t send_some(std::string_view bytes);
  /// The next line, without its end; empty when the server has hung up.
  std::string receive_line();
  /// Exactly `count` bytes, fewer only when the server has hung up.
  std::string receive(size_t count);
  /// All bytes until the server hangs up.
  std::string receive_until_closed();
  /// Half-closes: the server sees the end of the stream, replies still come.
  void finish_sending();

 private:
  bool fill();

  int fd_;
  std::string received_;
};

/// `bytes` as a RESP request: an array of bulk strings.
std::string request(const Arguments& arguments);

}  // namespace vedette::wire
