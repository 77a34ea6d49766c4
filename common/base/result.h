// Errors as values. An `Error` carries the text that a client or an operator reads; for a reply it starts with its
// code ("ERR syntax error", "WRONGTYPE ..."), without the leading '-'. `Status` is a success or an Error in one
// pointer, so that the success path costs a null test; `Result<T>` is a T or an Error.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "common/base/assert.h"

namespace vedette {

class Error {
 public:
  explicit Error(std::string text) : text_(std::move(text)) {}
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

class [[nodiscard]] Status {
 public:
  static Status ok() { return Status(); }
  Status() = default;
  Status(Error error) : error_(std::make_unique<Error>(std::move(error))) {}  // NOLINT: an error is a status

  bool is_ok() const { return !error_; }
  explicit operator bool() const { return is_ok(); }
  const Error& error() const {
    VED_ASSERT(error_);
    return *error_;
  }

 private:
  std::unique_ptr<Error> error_;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::move(value)) {}      // NOLINT: a value is a result
  Result(Error error) : content_(std::move(error)) {}  // NOLINT: an error is a result

  bool is_ok() const { return content_.index() == 0; }
  explicit operator bool() const { return is_ok(); }
  T& value() {
    VED_ASSERT(is_ok());
    return *std::get_if<0>(&content_);
  }
  const T& value() const {
    VED_ASSERT(is_ok());
    return *std::get_if<0>(&content_);
  }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Error& error() const {
    VED_ASSERT(!is_ok());
    return *std::get_if<1>(&content_);
  }

 private:
  std::variant<T, Error> content_;
};

/// An error whose text starts with the generic code: failure("syntax error") is "ERR syntax error".
inline Error failure(std::string_view text) { return Error("ERR " + std::string(text)); }

}  // namespace vedette
