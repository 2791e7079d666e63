#include "CJPEG.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

// A progressive file may repeat scans without end at a few bytes each, and each costs a pass over the whole image.
enum { MAX_SCANS = 500 };

typedef struct {
  struct jpeg_error_mgr base;
  jmp_buf escape;
  char *message;
} failing_manager;

static void fail(j_common_ptr info) {
  failing_manager *manager = (failing_manager *)info->err;
  char text[JMSG_LENGTH_MAX];
  manager->base.format_message(info, text);
  snprintf(manager->message, CJPEG_MESSAGE_SIZE, "%s", text);
  longjmp(manager->escape, 1);
}

// Level -1 is a warning. libjpeg would go on and fill what is missing with grey; a damaged file must not pass for a whole one.
// The three exceptions say that a header field is odd, not that data is wrong; cameras in use write such files.
static void emit(j_common_ptr info, int level) {
  if (level >= 0) return;
  int code = info->err->msg_code;
  if (code == JWRN_NOT_SEQUENTIAL || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR) return;
  fail(info);
}

static void silent(j_common_ptr info) { (void)info; }

static void watch_scans(j_common_ptr info) {
  if (info->is_decompressor && ((j_decompress_ptr)info)->input_scan_number > MAX_SCANS) {
    failing_manager *manager = (failing_manager *)info->err;
    snprintf(manager->message, CJPEG_MESSAGE_SIZE, "more than %d scans", MAX_SCANS);
    longjmp(manager->escape, 1);
  }
}

static void prepare(struct jpeg_decompress_struct *info, failing_manager *manager, char *message) {
  memset(info, 0, sizeof *info);
  info->err = jpeg_std_error(&manager->base);
  manager->base.error_exit = fail;
  manager->base.emit_message = emit;
  manager->base.output_message = silent;
  manager->message = message;
  message[0] = 0;
}

int cjpeg_read_header(const uint8_t *data, size_t size, cjpeg_header *header, char message[CJPEG_MESSAGE_SIZE]) {
  struct jpeg_decompress_struct info;
  failing_manager manager;
  prepare(&info, &manager, message);
  if (setjmp(manager.escape)) {
    jpeg_destroy_decompress(&info);
    return 1;
  }
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, data, size);
  jpeg_read_header(&info, TRUE);
  header->width = (int32_t)info.image_width;
  header->height = (int32_t)info.image_height;
  header->components = info.num_components;
  header->progressive = info.progressive_mode ? 1 : 0;
  jpeg_destroy_decompress(&info);
  return 0;
}

int cjpeg_decode(const uint8_t *data, size_t size, int32_t channels, uint8_t *out, size_t out_size,
                 char message[CJPEG_MESSAGE_SIZE]) {
  struct jpeg_decompress_struct info;
  struct jpeg_progress_mgr progress;
  failing_manager manager;
  prepare(&info, &manager, message);
  if (setjmp(manager.escape)) {
    jpeg_destroy_decompress(&info);
    return 1;
  }
  jpeg_create_decompress(&info);
  memset(&progress, 0, sizeof progress);
  progress.progress_monitor = watch_scans;
  info.progress = &progress;
  jpeg_mem_src(&info, data, size);
  jpeg_read_header(&info, TRUE);
  info.out_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_start_decompress(&info);
  size_t stride = (size_t)info.output_width * (size_t)channels;
  if (info.output_components != channels || stride * info.output_height != out_size) {
    snprintf(message, CJPEG_MESSAGE_SIZE, "%u x %u x %d does not fill %zu bytes", info.output_height, info.output_width,
             info.output_components, out_size);
    jpeg_destroy_decompress(&info);
    return 1;
  }
  while (info.output_scanline < info.output_height) {
    // As many rows as the decoder has at hand (at most 16 here), which saves a call per row.
    JSAMPROW rows[16];
    JDIMENSION wanted = info.output_height - info.output_scanline;
    if (wanted > 16) wanted = 16;
    for (JDIMENSION i = 0; i < wanted; i++) rows[i] = out + stride * (info.output_scanline + i);
    jpeg_read_scanlines(&info, rows, wanted);
  }
  jpeg_finish_decompress(&info); // reads up to the end marker: a file that lacks it is reported here
  jpeg_destroy_decompress(&info);
  return 0;
}
