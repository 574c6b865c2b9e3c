package main

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/auth"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

type claims struct {
	jwt.RegisteredClaims
	Scope string `json:"scope"`
}

type verified struct {
	scopes     []string
	validUntil time.Time
}

const (
	maxAge         = 5 * time.Minute
	clockTolerance = 5 * time.Second
)

// verifier verifies ES256 tokens. It remembers a verified token for five minutes, as Saturday's chain does.
type verifier struct {
	parser *jwt.Parser
	keys   keyfunc.Keyfunc
	cache  sync.Map
}

func newVerifier(jwks, issuer, audience string) (*verifier, error) {
	text, err := os.ReadFile(jwks)
	if err != nil {
		return nil, err
	}
	keys, err := keyfunc.NewJWKSetJSON(json.RawMessage(text))
	if err != nil {
		return nil, err
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{"ES256"}),
		jwt.WithIssuer(issuer),
		jwt.WithAudience(audience),
		jwt.WithExpirationRequired(),
		jwt.WithLeeway(clockTolerance),
	)
	return &verifier{parser: parser, keys: keys}, nil
}

func (v *verifier) authenticate(ctx context.Context) (context.Context, error) {
	token, err := auth.AuthFromMD(ctx, "bearer")
	if err != nil {
		return nil, err
	}
	principal, err := v.verify(token)
	if err != nil {
		return nil, status.Error(codes.Unauthenticated, "the token is not valid")
	}
	if !slices.Contains(principal.scopes, "inventory:read") {
		return nil, status.Error(codes.PermissionDenied, "the token lacks a scope")
	}
	return ctx, nil
}

func (v *verifier) verify(token string) (verified, error) {
	now := time.Now()
	if cached, ok := v.cache.Load(token); ok && now.Before(cached.(verified).validUntil) {
		return cached.(verified), nil
	}
	var found claims
	if _, err := v.parser.ParseWithClaims(token, &found, v.keys.Keyfunc); err != nil {
		return verified{}, err
	}
	principal := verified{scopes: strings.Fields(found.Scope), validUntil: now.Add(maxAge)}
	if expiry := found.ExpiresAt.Add(clockTolerance); expiry.Before(principal.validUntil) {
		principal.validUntil = expiry
	}
	v.cache.Store(token, principal)
	return principal, nil
}
