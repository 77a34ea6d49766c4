// Libraries of functions: what FUNCTION LOAD has brought, by their names, and their functions by theirs.
//
// A library is its code; from that it can be made anew anywhere, which is how it is replicated, logged and kept in snapshots.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/result.h"
#include "common/base/text.h"
#include "server/execution/script_host.h"
#include "server/scripting/interpreter.h"

namespace vedette {

struct Library;

struct LibraryFunction {
  std::string name;
  std::optional<std::string> description;
  uint32_t flags = 0;  ///< ScriptFlag
  int function = 0;    ///< in the interpreter
  const Library* library = nullptr;
};

struct Library {
  std::string name, code;
  std::vector<std::unique_ptr<LibraryFunction>> functions;  ///< as they were registered
};

/// A set of libraries whose names, and whose functions' names, are all different.
class Libraries final : public ScriptLibraries {
 public:
  /// The interpreter is made when the first library is loaded.
  using InterpreterSource = std::function<Interpreter&()>;
  explicit Libraries(InterpreterSource interpreter) : interpreter_(std::move(interpreter)) {}
  ~Libraries() override { clear(); }

  /// How long the code of a library may run: that of a user for half a second. What comes from a dataset, a log or
  /// a primary was accepted once, and without it the server could not go on.
  static constexpr int64_t kLoadMs = 500, kUnboundedMs = INT64_MAX;
  /// Compiles a library, has it register its functions, and adds it. Returns its name. After an error everything is as before.
  Result<std::string> load(std::string_view code, bool replace, int64_t budget_ms);
  Status load(std::string_view code) override {
    const Result<std::string> loaded = load(code, false, kUnboundedMs);
    return loaded ? Status::ok() : Status(loaded.error());
  }
  /// Takes all of `other`, which are there already or not; `replace` decides. After an error both are as before.
  Status join(Libraries& other, bool replace);

  bool remove(std::string_view name);
  void clear();
  void swap(Libraries& other) noexcept;

  const std::map<std::string, std::unique_ptr<Library>, std::less<>>& all() const { return libraries_; }
  const Library* find(std::string_view name) const;
  /// A function by its name in any case.
  const LibraryFunction* find_function(std::string_view name) const;
  size_t functions() const { return functions_.size(); }
  size_t memory_bytes() const { return memory_; }

 private:
  // Names of functions are the same in any case.
  struct FoldedHash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const {
      uint64_t hash = 0xcbf29ce484222325u;
      for (const char c : name) hash = (hash ^ uint8_t(to_lower(c))) * 0x100000001b3u;
      return size_t(hash ^ hash >> 32);
    }
  };
  struct FoldedEqual {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const { return equals_ignoring_case(a, b); }
  };

  void link(std::unique_ptr<Library> library);
  std::unique_ptr<Library> unlink(std::string_view name);
  const LibraryFunction* conflict(const Library& library) const;
  void forget(Library& library);
  static size_t bytes_of(const Library& library);

  InterpreterSource interpreter_;
  std::map<std::string, std::unique_ptr<Library>, std::less<>> libraries_;
  std::unordered_map<std::string, LibraryFunction*, FoldedHash, FoldedEqual> functions_;
  size_t memory_ = 0;
};

}  // namespace vedette
