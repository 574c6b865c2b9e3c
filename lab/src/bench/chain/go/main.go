// Command go serves GetStock by grpc-go with OpenTelemetry, recovery, a log line and a JWT: `go JWKS ISSUER AUDIENCE`.
// It logs to stdout, and sends its port as Node's child processes do.
package main

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net"
	"os"
	"strconv"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/auth"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/logging"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	inventoryv1 "saturday.example/bench/gen/inventory/v1"
)

type inventory struct {
	inventoryv1.UnimplementedInventoryServiceServer
}

func (inventory) GetStock(_ context.Context, request *inventoryv1.GetStockRequest) (*inventoryv1.GetStockResponse, error) {
	return &inventoryv1.GetStockResponse{Stock: &inventoryv1.Stock{
		Sku:        request.GetSku(),
		Title:      "A thing of beauty",
		OnHand:     1000,
		Reserved:   10,
		Available:  990,
		UpdateTime: &timestamppb.Timestamp{Seconds: 1767225600},
		Etag:       "42",
	}}, nil
}

// logTo is the adapter of the documentation of go-grpc-middleware.
func logTo(logger *slog.Logger) logging.Logger {
	return logging.LoggerFunc(func(ctx context.Context, level logging.Level, message string, fields ...any) {
		logger.Log(ctx, slog.Level(level), message, fields...)
	})
}

func main() {
	startNullTelemetry()
	verifier, err := newVerifier(os.Args[1], os.Args[2], os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	logger := logTo(slog.New(slog.NewJSONHandler(os.Stdout, nil)))
	server := grpc.NewServer(
		grpc.StatsHandler(otelgrpc.NewServerHandler()),
		grpc.ChainUnaryInterceptor(
			// One line per call, as the other contenders write.
			logging.UnaryServerInterceptor(logger, logging.WithLogOnEvents(logging.FinishCall)),
			auth.UnaryServerInterceptor(verifier.authenticate),
			recovery.UnaryServerInterceptor(),
		),
	)
	inventoryv1.RegisterInventoryServiceServer(server, inventory{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	if err := sendPort(listener.Addr().(*net.TCPAddr).Port); err != nil {
		log.Fatal(err)
	}
	log.Fatal(server.Serve(listener))
}

// sendPort writes a message to the parent, which is a Node process.
func sendPort(port int) error {
	descriptor, err := strconv.Atoi(os.Getenv("NODE_CHANNEL_FD"))
	if err != nil {
		return fmt.Errorf("NODE_CHANNEL_FD: %w", err)
	}
	_, err = fmt.Fprintf(os.NewFile(uintptr(descriptor), "parent"), "{\"port\":%d}\n", port)
	return err
}
