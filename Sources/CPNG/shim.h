/* libpng reports errors with longjmp, which must not cross Swift: these functions catch it and return 0 for a failure,
   with the reason in `message`. */
#ifndef PIXELRL_CPNG_SHIM_H
#define PIXELRL_CPNG_SHIM_H

#include <png.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { shim_message_size = 160, shim_chunk_limit = 8 << 20 };

static inline void shim_fail(png_structp png, png_const_charp reason) {
  char *message = (char *)png_get_error_ptr(png);
  strncpy(message, reason, shim_message_size - 1);
  message[shim_message_size - 1] = 0;
  png_longjmp(png, 1);
}

static inline void shim_ignore(png_structp png, png_const_charp warning) {
  (void)png;
  (void)warning;
}

/* Reading: start, rows, end, whatever failed between. */
typedef struct {
  png_structp png;
  png_infop info;
  const uint8_t *bytes;
  size_t count;
  size_t position;
  uint32_t width;
  uint32_t height;
  int channels;
  int passes;
  char message[shim_message_size];
} shim_reader;

static inline void shim_take(png_structp png, png_bytep target, size_t count) {
  shim_reader *reader = (shim_reader *)png_get_io_ptr(png);
  if (count > reader->count - reader->position) png_error(png, "the file ends too early");
  memcpy(target, reader->bytes + reader->position, count);
  reader->position += count;
}

static inline void shim_read_end(shim_reader *reader) {
  png_destroy_read_struct(&reader->png, &reader->info, NULL);
}

/* Reads the header, refuses what is over the limit, and asks for 8-bit gray or RGB on black. */
static inline int shim_read_start(shim_reader *reader, const uint8_t *bytes, size_t count, uint64_t pixel_limit) {
  memset(reader, 0, sizeof *reader);
  reader->bytes = bytes;
  reader->count = count;
  reader->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, reader->message, shim_fail, shim_ignore);
  if (!reader->png) return 0;
  if (setjmp(png_jmpbuf(reader->png))) return 0;
  reader->info = png_create_info_struct(reader->png);
  if (!reader->info) png_error(reader->png, "out of memory");
  png_set_user_limits(reader->png, 0x7fffffff, 0x7fffffff);
  png_set_chunk_malloc_max(reader->png, shim_chunk_limit);
  png_set_crc_action(reader->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  png_set_read_fn(reader->png, reader, shim_take);
  png_read_info(reader->png, reader->info);

  reader->width = png_get_image_width(reader->png, reader->info);
  reader->height = png_get_image_height(reader->png, reader->info);
  if ((uint64_t)reader->width * reader->height > pixel_limit) png_error(reader->png, "too many pixels");
  /* deflate makes at most 1032 bytes of one: what cannot hold the picture is refused before room is made for it. */
  uint64_t row = ((uint64_t)reader->width * png_get_bit_depth(reader->png, reader->info) + 7) / 8;
  if (row * reader->height / 1032 > count) png_error(reader->png, "the file ends too early");

  png_set_expand(reader->png);
  png_set_scale_16(reader->png);
  png_color_16 black = {0, 0, 0, 0, 0};
  png_set_background(reader->png, &black, PNG_BACKGROUND_GAMMA_SCREEN, 0, 1);
  reader->passes = png_set_interlace_handling(reader->png);
  png_read_update_info(reader->png, reader->info);
  reader->channels = png_get_channels(reader->png, reader->info);
  if (reader->channels != 1 && reader->channels != 3) png_error(reader->png, "neither gray nor RGB");
  if (png_get_rowbytes(reader->png, reader->info) != (size_t)reader->width * reader->channels)
    png_error(reader->png, "more than 8 bits a channel");
  return 1;
}

/* Fills height * width * channels bytes, then reads to the end of the file for the text. */
static inline int shim_read_rows(shim_reader *reader, uint8_t *pixels) {
  if (setjmp(png_jmpbuf(reader->png))) return 0;
  for (int pass = 0; pass < reader->passes; pass++)
    for (uint32_t y = 0; y < reader->height; y++)
      png_read_row(reader->png, pixels + (size_t)y * reader->width * reader->channels, NULL);
  png_read_end(reader->png, reader->info);
  return 1;
}

static inline int shim_text_count(const shim_reader *reader) {
  return png_get_text(reader->png, reader->info, NULL, NULL);
}

/* The index-th pair of NUL-terminated strings; returns whether they are UTF-8 (else Latin-1). */
static inline int shim_text(const shim_reader *reader, int index, const char **key, const char **value) {
  png_textp texts = NULL;
  png_get_text(reader->png, reader->info, &texts, NULL);
  *key = texts[index].key;
  *value = texts[index].text ? texts[index].text : "";
  return texts[index].compression >= PNG_ITXT_COMPRESSION_NONE;
}

/* Writing: start, text, rows, finish, end, whatever failed between. */
typedef struct {
  png_structp png;
  png_infop info;
  uint8_t *bytes;
  size_t count;
  size_t capacity;
  char message[shim_message_size];
} shim_writer;

static inline void shim_give(png_structp png, png_bytep source, size_t count) {
  shim_writer *writer = (shim_writer *)png_get_io_ptr(png);
  if (count > writer->capacity - writer->count) {
    size_t capacity = 2 * writer->capacity + count + 4096;
    uint8_t *bytes = (uint8_t *)realloc(writer->bytes, capacity);
    if (!bytes) png_error(png, "out of memory");
    writer->bytes = bytes;
    writer->capacity = capacity;
  }
  memcpy(writer->bytes + writer->count, source, count);
  writer->count += count;
}

static inline void shim_flush(png_structp png) { (void)png; }

static inline int shim_write_start(shim_writer *writer, uint32_t width, uint32_t height, int channels, int level) {
  memset(writer, 0, sizeof *writer);
  writer->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, writer->message, shim_fail, shim_ignore);
  if (!writer->png) return 0;
  if (setjmp(png_jmpbuf(writer->png))) return 0;
  writer->info = png_create_info_struct(writer->png);
  if (!writer->info) png_error(writer->png, "out of memory");
  png_set_user_limits(writer->png, 0x7fffffff, 0x7fffffff);
  png_set_write_fn(writer->png, writer, shim_give, shim_flush);
  png_set_compression_level(writer->png, level);
  png_set_IHDR(
      writer->png, writer->info, width, height, 8, channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB,
      PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  return 1;
}

static inline int shim_write_text(shim_writer *writer, const char *key, const char *value, int utf8) {
  if (setjmp(png_jmpbuf(writer->png))) return 0;
  png_text text;
  memset(&text, 0, sizeof text);
  text.compression = utf8 ? PNG_ITXT_COMPRESSION_NONE : PNG_TEXT_COMPRESSION_NONE;
  text.key = (png_charp)key;
  text.text = (png_charp)value;
  png_set_text(writer->png, writer->info, &text, 1);
  return 1;
}

static inline int shim_write_rows(shim_writer *writer, const uint8_t *pixels) {
  if (setjmp(png_jmpbuf(writer->png))) return 0;
  png_write_info(writer->png, writer->info);
  uint32_t height = png_get_image_height(writer->png, writer->info);
  size_t stride = png_get_rowbytes(writer->png, writer->info);
  for (uint32_t y = 0; y < height; y++) png_write_row(writer->png, pixels + y * stride);
  png_write_end(writer->png, writer->info);
  return 1;
}

static inline void shim_write_end(shim_writer *writer) {
  png_destroy_write_struct(&writer->png, &writer->info);
  free(writer->bytes);
}

#endif
