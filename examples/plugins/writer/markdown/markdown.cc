// SPDX-License-Identifier: Apache-2.0
/*
 * An example of a writer in C++17: the report as Markdown, to be pasted into an issue.
 *
 *     writers:
 *       issue: { plugin: markdown, frames: 10 }
 *
 * The host knows nothing of exceptions: none may leave a function that it calls. Runs in a step of
 * the engine, in a process of its own, after the crash.
 */
#include <cairn/plugin.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <memory>
#include <sstream>
#include <string>
#include <unistd.h>

namespace
{

// What the host fills from the YAML by the table below: plain data, as in C.
struct Config {
    std::int64_t frames;
};

const cairn_option options[] = {
    { "frames", CAIRN_OPTION_INTEGER, 0, offsetof(Config, frames), 0, "20", 1, 512, nullptr,
      nullptr, "How many frames of the crashed thread are written." },
    { nullptr, 0, 0, 0, 0, nullptr, 0, 0, nullptr, nullptr, nullptr },
};

class Page
{
  public:
    Page(const cairn_host *host, const cairn_report *report) : host(host), report(report)
    {
    }

    void field(const char *label, const char *path)
    {
        cairn_value value = {};
        if (host->get(host, report, path, &value) && value.type == CAIRN_VALUE_STRING) {
            text << "- **" << label << "**: `" << value.string << "`\n";
        }
    }

    void frames(std::size_t limit)
    {
        text << "\n```\n";
        for (std::size_t i = 0; i < limit; i++) {
            cairn_frame frame = {};
            frame.size = sizeof(frame);
            if (!host->frame_at(host, report, i, &frame)) {
                break;
            }
            text << '#' << frame.index << ' ' << (frame.module ? frame.module : "?") << "+0x"
                 << std::hex << frame.module_offset << std::dec << ' '
                 << (frame.symbol ? frame.symbol : "") << '\n';
        }
        text << "```\n";
    }

    std::string str() const
    {
        return text.str();
    }

  private:
    const cairn_host *host;
    const cairn_report *report;
    std::ostringstream text;
};

// The instance's context: made by create(), deleted by destroy().
class Writer
{
  public:
    explicit Writer(const Config &config) : limit(static_cast<std::size_t>(config.frames))
    {
    }

    std::string page(const cairn_host *host, const cairn_report *report) const
    {
        Page page(host, report);
        page.field("Application", "application.name");
        page.field("Version", "application.version");
        page.field("Signal", "crash.signal");
        page.field("Reason", "crash.reason");
        page.field("Signature", "signature");
        page.frames(limit);
        return page.str();
    }

  private:
    std::size_t limit;
};

int create(const cairn_host *host, const void *config, void **ret_context)
{
    try {
        *ret_context = std::make_unique<Writer>(*static_cast<const Config *>(config)).release();
        return CAIRN_PLUGIN_OK;
    } catch (const std::exception &error) {
        return host->fail(host, "The writer cannot be made: %s.", error.what());
    }
}

void destroy(void *context)
{
    delete static_cast<Writer *>(context);
}

int write_all(const cairn_host *host, int fd, const std::string &page)
{
    for (std::size_t done = 0; done < page.size();) {
        ssize_t bytes = write(fd, page.data() + done, page.size() - done);
        if (bytes < 0) {
            return host->fail(host, "The page cannot be written: %s.", std::strerror(errno));
        }
        done += static_cast<std::size_t>(bytes);
    }
    return CAIRN_PLUGIN_OK;
}

int write_page(void *context, cairn_writer_args *args)
{
    try {
        return write_all(args->host, args->fd,
                         static_cast<Writer *>(context)->page(args->host, args->report));
    } catch (const std::exception &error) {
        return args->host->fail(args->host, "The page cannot be made: %s.", error.what());
    }
}

const cairn_writer_ops ops = {
    sizeof(ops), 0, nullptr, create, destroy, write_page, "md", "text/markdown",
};

} // namespace

CAIRN_PLUGIN_NOTE(CAIRN_KIND_WRITER, "markdown");

// A constant, so that it can be read from the file without running a constructor.
constexpr cairn_plugin entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_WRITER),
    0, // capabilities
    "markdown",
    "1.0",
    "Write the report as Markdown.",
    options,
    sizeof(cairn_option),
    sizeof(Config),
    &ops,
};
extern "C" const cairn_plugin cairn_plugin_entry = entry;
