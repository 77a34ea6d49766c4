// The frame of a snapshot on the wire, taken off as it comes.
//
//   $<length>\r\n<bytes>                      of known length; the stream follows at once
//   $EOF:<mark>\r\n<bytes><mark>              written as it is made; the mark is 40 random bytes
//
// Bare line ends before the frame are signs of life. The mark may be cut anywhere, and the payload may hold beginnings of
// it: what could still become the mark is held back, by its length alone, since its bytes are known.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace vedette {

class Transfer {
 public:
  enum class Outcome : uint8_t {
    kMore,     ///< all input was read, the snapshot is not complete
    kDone,     ///< complete; the rest of the input belongs to the stream
    kStopped,  ///< `payload` answered false; no more may be fed
    kFailed,   ///< see fault(); the connection is of no use any more
  };
  /// Gets the snapshot's bytes in order, in pieces as they come (views into the input or into this); false stops.
  using Payload = std::function<bool(std::string_view)>;

  /// Reads from the front of `input` and removes what it has read.
  Outcome feed(std::string_view& input, const Payload& payload);
  /// What is wrong, for the log. Empty unless failed.
  const std::string& fault() const { return fault_; }

  bool begun() const { return form_ != Form::kHeader; }
  /// Ended by a mark: the primary then sends nothing before our first acknowledgement.
  bool end_marked() const { return form_ == Form::kMarked; }
  /// The length of the snapshot, once known.
  std::optional<uint64_t> total_bytes() const { return total_; }
  /// The bytes of the snapshot so far.
  uint64_t received_bytes() const { return received_; }

  static constexpr size_t kMarkBytes = 40;
  static constexpr size_t kLineBytesMax = 1024;
  static constexpr uint64_t kTotalBytesMax = uint64_t(1) << 50;

 private:
  enum class Form : uint8_t { kHeader, kSized, kMarked };
  bool read_header(std::string_view& input);
  bool on_header(std::string_view line);
  bool fail(std::string text);
  Outcome feed_sized(std::string_view& input, const Payload& payload);
  Outcome feed_marked(std::string_view& input, const Payload& payload);
  bool give(std::string_view piece, const Payload& payload);

  Form form_ = Form::kHeader;
  std::string line_;  // the part of a cut header that has come
  std::string mark_;
  size_t held_ = 0;  // so many bytes of the mark's beginning have come last
  std::optional<uint64_t> total_;
  uint64_t received_ = 0;
  std::string fault_;
};

}  // namespace vedette
