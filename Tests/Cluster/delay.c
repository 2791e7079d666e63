// A switch whose frames arrive late: for kernels without tc's netem. Each of some network namespaces gets a device, eth0, in its
// place in 10.77.0.0/24, and what one sends comes out at the other after a while.
// usage: delay MICROSECONDS NAMESPACE...
//
// Bandwidth is for tc: it limits what goes into the devices. Ends when it is killed; the devices go with it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { most = 32, frame_size = 65536, queue_length = 2048 };

// Frames on their way to a device, in the order in which they are due.
struct queue {
  struct {
    long due;
    int size;
    char *bytes;
  } frames[queue_length];
  unsigned first, end;
};

static struct queue queues[most];
static int devices[most], count;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000L + t.tv_nsec;
}

static void configure(int socket, unsigned long request, struct ifreq *device, const char *what) {
  if (ioctl(socket, request, device) < 0) fail(what);
}

// A device in the namespace: its MAC and its address end in the number from 1.
static int make_device(const char *namespace, int number) {
  char path[512], command[512];
  snprintf(path, sizeof path, "/var/run/netns/%s", namespace);
  const int there = open(path, O_RDONLY);
  if (there < 0) fail(path);
  if (setns(there, CLONE_NEWNET) < 0) fail("setns");
  close(there);
  const int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  if (device < 0) fail("/dev/net/tun");
  struct ifreq named = {.ifr_flags = IFF_TAP | IFF_NO_PI};
  strcpy(named.ifr_name, "eth0");
  configure(device, TUNSETIFF, &named, "TUNSETIFF");
  snprintf(
      command, sizeof command,
      "ip link set eth0 address 02:00:00:00:00:%02x mtu 65521 txqueuelen 1000 && ip addr add 10.77.0.%d/24 dev eth0 && ip link set eth0 up && ip link set lo up",
      number, number);
  if (system(command) != 0) fail(command);
  return device;
}

static void push(struct queue *queue, const char *bytes, int size, long due) {
  if (queue->end - queue->first == queue_length) return;  // As a switch does whose memory is full.
  const unsigned place = queue->end++ % queue_length;
  if (!queue->frames[place].bytes && !(queue->frames[place].bytes = malloc(frame_size))) fail("malloc");
  memcpy(queue->frames[place].bytes, bytes, (size_t)size);
  queue->frames[place].size = size;
  queue->frames[place].due = due;
}

int main(int arguments, char **words) {
  count = arguments - 2;
  if (count < 2 || count > most) {
    fprintf(stderr, "usage: delay MICROSECONDS NAMESPACE NAMESPACE...\n");
    return 64;
  }
  const long delay = atol(words[1]) * 1000L;
  for (int i = 0; i < count; i++) devices[i] = make_device(words[i + 2], i + 1);
  puts("ready");
  fflush(stdout);
  struct pollfd polled[most];
  for (int i = 0; i < count; i++) polled[i] = (struct pollfd){.fd = devices[i], .events = POLLIN};
  static char frame[frame_size];
  for (;;) {
    long next = -1;
    const long begin = now();
    for (int i = 0; i < count; i++) {
      struct queue *queue = &queues[i];
      while (queue->first != queue->end && queue->frames[queue->first % queue_length].due <= begin) {
        const unsigned place = queue->first % queue_length;
        const ssize_t written = write(devices[i], queue->frames[place].bytes, (size_t)queue->frames[place].size);
        if (written < 0 && errno == EAGAIN) break;
        queue->first++;
      }
      if (queue->first == queue->end) continue;
      const long due = queue->frames[queue->first % queue_length].due;
      if (next < 0 || due < next) next = due;
    }
    const long left = next < 0 ? 1000000000L : next - now();
    const struct timespec pause = {left > 0 ? left / 1000000000L : 0, left > 0 ? left % 1000000000L : 0};
    if (ppoll(polled, (nfds_t)count, &pause, NULL) < 0 && errno != EINTR) fail("ppoll");
    const long arrived = now();
    for (int i = 0; i < count; i++) {
      if (!(polled[i].revents & POLLIN)) continue;
      ssize_t size;
      // Some at a time, so that none of the others waits long.
      for (int k = 0; k < 32 && (size = read(devices[i], frame, sizeof frame)) > 0; k++) {
        // To the device whose MAC it has, or to all.
        const unsigned char *to = (const unsigned char *)frame;
        const int is_for_one = to[0] == 2 && to[5] >= 1 && to[5] <= count;
        for (int j = 0; j < count; j++)
          if (j != i && (!is_for_one || j == to[5] - 1)) push(&queues[j], frame, (int)size, arrived + delay);
      }
    }
  }
}
