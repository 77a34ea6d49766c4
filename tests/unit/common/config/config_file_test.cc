// Files, includes, command lines and their problems.
#include "common/config/config_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <random>

#include "common/base/atomic_file.h"

using namespace vedette;

namespace {

// A disk of texts; a pattern matches by its prefix up to the star.
struct Files {
  std::map<std::string, std::string> texts;

  ConfigReader reader() const {
    return {[this](const std::string& path) -> Result<std::string> {
              const auto found = texts.find(path);
              if (found == texts.end()) return Error("No such file or directory");
              return found->second;
            },
            [this](const std::string& pattern) {
              std::vector<std::string> paths;
              const std::string prefix = pattern.substr(0, pattern.find('*'));
              for (const auto& [path, text] : texts)
                if (path.starts_with(prefix)) paths.push_back(path);
              return paths;
            }};
  }
};

struct Taken {
  std::vector<std::string> lines;  // "source:number name|word|word"
  ConfigSink sink() {
    return [this](const ConfigLine& line) -> Status {
      std::string text = line.source + ":" + std::to_string(line.number) + " ";
      for (size_t i = 0; i < line.words.size(); i++) text += (i ? "|" : "") + line.words[i];
      lines.push_back(text);
      if (line.words[0] == "bad") return Error("the reason");
      return Status::ok();
    };
  }
};

std::string options_of(const std::vector<std::string>& arguments) { return parse_start_arguments(arguments).options; }

}  // namespace

TEST_CASE("lines are handed out with their words, comments and blanks are not") {
  Taken taken;
  Files files;
  CHECK_FALSE(read_config_text(files.reader(), "f", "# a comment\n\n  PORT \t 7000  \r\n   # indented\nmasterauth \"a b\\n\" 'c d'\nlast x",
                               taken.sink()));
  CHECK(taken.lines == std::vector<std::string>{"f:3 port|7000", "f:5 masterauth|a b\n|c d", "f:6 last|x"});
}

TEST_CASE("a problem names the file, the line, the text and the reason") {
  Taken taken;
  Files files{{{"main", "good 1\ninclude sub\n"}, {"sub", "\nbad \"x y\"\nnever 1\n"}}};
  const auto problem = read_config_file(files.reader(), "main", taken.sink());
  REQUIRE(problem);
  CHECK(problem->report("Vedette 1.0") ==
        "\n*** FATAL CONFIG FILE ERROR (Vedette 1.0) ***\n"
        "Reading the configuration file, at line 2 of sub\n"
        ">>> 'bad \"x y\"'\n"
        "the reason\n");
  CHECK(taken.lines.size() == 2);
}

TEST_CASE("quotes that do not close are a problem, at their turn") {
  Taken taken;
  Files files;
  auto problem = read_config_text(files.reader(), "f", "bad 1\nx \"1\n", taken.sink());
  CHECK(problem->reason == "the reason");
  problem = read_config_text(files.reader(), "f", "good 1\nx \"1\n", taken.sink());
  CHECK(problem->reason == "Unbalanced quotes in configuration line");
  CHECK(problem->number == 2);
}

TEST_CASE("an include stands for the lines of the files that it names") {
  Files files{{{"main", "a 1\ninclude conf.d/*.conf\ninclude none/*\nb 2\n"},
               {"conf.d/1.conf", "c 3\n"},
               {"conf.d/2.conf", "d 4\ninclude deep\n"},
               {"deep", "e 5"}}};
  Taken taken;
  CHECK_FALSE(read_config_file(files.reader(), "main", taken.sink()));
  CHECK(taken.lines == std::vector<std::string>{"main:1 a|1", "conf.d/1.conf:1 c|3", "conf.d/2.conf:1 d|4", "deep:1 e|5", "main:4 b|2"});
}

TEST_CASE("an include of a file that is not there, of nothing, or of itself is a problem") {
  Files files{{{"absent", "include gone"}, {"empty", "include"}, {"two", "include a b"}, {"self", "\ninclude self"}}};
  Taken taken;
  CHECK(read_config_file(files.reader(), "absent", taken.sink())->reason ==
        "Fatal error, can't open config file 'gone': No such file or directory");
  CHECK(read_config_file(files.reader(), "empty", taken.sink())->reason == "Bad directive or wrong number of arguments");
  CHECK(read_config_file(files.reader(), "two", taken.sink())->reason == "Bad directive or wrong number of arguments");
  const auto problem = read_config_file(files.reader(), "self", taken.sink());
  CHECK(problem->reason == "files include each other more than 16 deep");
  CHECK(problem->number == 2);
}

TEST_CASE("a configuration file that cannot be read is a problem of no line") {
  Taken taken;
  const auto problem = read_config_file(Files().reader(), "gone", taken.sink());
  CHECK(problem->report("Vedette 1.0") ==
        "\n*** FATAL CONFIG FILE ERROR (Vedette 1.0) ***\n"
        "Fatal error, can't open config file 'gone': No such file or directory\n");
}

TEST_CASE("options of the command line become lines") {
  CHECK(options_of({"--port", "7000", "--save", ""}) == "port \"7000\"\nsave \"\"");
  CHECK(options_of({"--port 7000", "--maxmemory 1gb"}) == "port 7000\nmaxmemory 1gb");
  CHECK(options_of({"--save", "900", "1", "300", "10"}) == "save \"900\" \"1\" \"300\" \"10\"");
  CHECK(options_of({"--bind", "127.0.0.1 ::1"}) == "bind \"127.0.0.1 ::1\"");
  CHECK(options_of({"--hz 20", "30"}) == "hz 20 \"30\"");
  CHECK(options_of({"--maxmemory", "1gb\nhz 50"}) == "maxmemory \"1gb\\nhz 50\"");
}

TEST_CASE("an option without a value takes the next word, whatever it looks like, but save is then empty") {
  CHECK(options_of({"--masterauth", "--port"}) == "masterauth \"--port\"");
  CHECK(options_of({"--hz", "--maxmemory", "5"}) == "hz \"--maxmemory\" \"5\"");
  CHECK(options_of({"--hz"}) == "hz");
  CHECK(options_of({"--dir", "/tmp", "--dir"}) == "dir \"/tmp\"\ndir");
  CHECK(options_of({"--save", "--hz", "20"}) == "save \"\"\nhz \"20\"");
  CHECK(options_of({"--hz", "20", "--save"}) == "hz \"20\"\nsave \"\"");
  CHECK(options_of({"--port", "1", "-hz", "20"}) == "port \"1\" \"-hz\" \"20\"");
  CHECK(options_of({"--", "x"}) == " \"x\"");
}

TEST_CASE("a file comes first, a dash first or last asks for standard input") {
  StartArguments start = parse_start_arguments({"a.conf", "--hz", "20", "-"});
  CHECK(start.file == "a.conf");
  CHECK(start.from_stdin);
  CHECK(start.options == "hz \"20\"");
  start = parse_start_arguments({"-", "--hz", "20"});
  CHECK_FALSE(start.file);
  CHECK(start.from_stdin);
  start = parse_start_arguments({"--port", "1", "-", "--hz", "20"});
  CHECK_FALSE(start.from_stdin);
  CHECK(start.options == "port \"1\" \"-\"\nhz \"20\"");
  start = parse_start_arguments({"a.conf", "--sentinel"});
  CHECK(start.sentinel);
  CHECK(start.options.empty());
  CHECK_FALSE(parse_start_arguments({}).file);
}

TEST_CASE("any bytes are read without harm") {
  const unsigned seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const std::string alphabet("ab \"'\\x0\n\r#*-\0\xff", 16);
  for (int round = 0; round < 2000; round++) {
    std::string text;
    for (size_t n = random() % 60; n > 0; n--) text += alphabet[random() % alphabet.size()];
    Taken taken;
    (void)read_config_text(Files().reader(), "f", text, taken.sink());
    std::vector<std::string> arguments;
    for (size_t n = random() % 5; n > 0; n--) {
      arguments.push_back(random() % 2 ? "--" : "");
      for (size_t m = random() % 6; m > 0; m--) arguments.back() += alphabet[random() % alphabet.size()];
    }
    const StartArguments start = parse_start_arguments(arguments);
    (void)read_config_text(Files().reader(), "the command line", start.options, taken.sink());
  }
}

TEST_CASE("a file is replaced whole, keeps its mode, and its symbolic link") {
  char folder[] = "/tmp/vedette-config-XXXXXX";
  REQUIRE(mkdtemp(folder));
  const std::string path = std::string(folder) + "/a.conf";
  const std::string link = std::string(folder) + "/link.conf";
  CHECK(replace_file(path, "old\n"));
  REQUIRE(chmod(path.c_str(), 0600) == 0);
  REQUIRE(symlink("a.conf", link.c_str()) == 0);
  CHECK(replace_file(link, "new\n"));
  CHECK(*disk_reader().read(path) == "new\n");
  struct stat found {};
  REQUIRE(lstat(link.c_str(), &found) == 0);
  CHECK(S_ISLNK(found.st_mode));
  REQUIRE(stat(path.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
  CHECK(disk_reader().expand(std::string(folder) + "/*").size() == 2);  // no temporary file is left
  CHECK(replace_file(std::string(folder) + "/none/a", "x").error().text() == "No such file or directory");
  CHECK(disk_reader().read(folder).error().text() == "Is a directory");
  unlink(link.c_str());
  unlink(path.c_str());
  rmdir(folder);
}
